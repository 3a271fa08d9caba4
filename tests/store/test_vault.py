"""The vault: what was sealed opens with the same key, in its place, unchanged, or not at all."""

from __future__ import annotations

import traceback
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import Unavailable
from rapida_tw.store.vault import CredentialUnreadable, Owner, Sealed, Secrets, Vault

SECRET = "e5c2-hunter2-0f3a"
VALUE = {"account_sid": "AC0123", "account_token": SECRET}
OWNER = Owner(5, 7, "twilio")
# Written by the first version, with the key and the owner of these tests.
_OLD = Sealed(
    bytes.fromhex(
        "53fe75155fc6a4513942587bb2b5fbc6f6bd0d370062d490a30f173e0cd5"
        "5f3a67c8fec576ca83f0f98d6d3cb1244071e0ea2c924e1c42a22d2bbbdc"
    ),
    bytes.fromhex("5652b0c691440dbf9f3e2032"),
    bytes.fromhex(
        "1a8663f7f55c5d654d7b864f69995c815925c66ddc413ad4815d4d94448e208cd34d51740588fac42d"
    ),
)


def vault(key: str = "k" * 32) -> Vault:
    return Vault(lambda: key)


class VaultTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.sealed = vault().seal(VALUE, OWNER)

    def refused(self, sealed: Sealed, owner: Owner = OWNER, key: str = "k" * 32) -> str:
        with self.assertRaises(CredentialUnreadable) as caught:
            vault(key).open(sealed, owner)
        return str(caught.exception)

    @given(st.dictionaries(st.text(max_size=5), st.text(max_size=30), max_size=5))
    def test_there_and_back(self, value: dict[str, str]) -> None:
        """Another process with the same secret key opens whatever was sealed."""
        self.assertEqual(vault().open(vault().seal(value, OWNER), OWNER), value)

    def test_sealed_long_ago(self) -> None:
        """What an earlier version has written still opens."""
        self.assertEqual(vault().open(_OLD, OWNER), {"account_sid": "AC0123"})

    def test_nothing_readable(self) -> None:
        """Neither values nor the names of keys stand in what is stored."""
        stored = self.sealed.wrapped_key + self.sealed.nonce + self.sealed.ciphertext
        for text in (SECRET, "AC0123", "account_token"):
            self.assertNotIn(text.encode(), stored)

    def test_never_the_same_twice(self) -> None:
        """The same value sealed again has another data key and other nonces."""
        again = vault().seal(VALUE, OWNER)
        self.assertNotEqual(again.wrapped_key, self.sealed.wrapped_key)
        self.assertNotEqual(again.wrapped_key[:12], self.sealed.wrapped_key[:12])
        self.assertNotEqual(again.nonce, self.sealed.nonce)
        self.assertNotEqual(again.ciphertext, self.sealed.ciphertext)

    def test_other_key(self) -> None:
        """With another secret key nothing opens, and the sentence says what to look at."""
        told = self.refused(self.sealed, key="K" * 32)
        self.assertIn("credential 5", told)
        self.assertIn("secret_key", told)

    def test_other_owner(self) -> None:
        """In another row, another project or under another provider it does not open."""
        for changed in ({"credential_id": 6}, {"project_id": 8}, {"provider": "vonage"}):
            self.refused(self.sealed, replace(OWNER, **changed))  # type: ignore[arg-type]

    def test_owners_do_not_run_together(self) -> None:
        """1 and 23 are not 12 and 3, in what is sealed."""
        self.assertNotEqual(Owner(1, 23, "x").encode(), Owner(12, 3, "x").encode())

    def test_any_changed_byte(self) -> None:
        """A changed byte anywhere is seen."""
        for name in ("wrapped_key", "nonce", "ciphertext"):
            whole = getattr(self.sealed, name)
            for place in range(len(whole)):
                changed = bytearray(whole)
                changed[place] ^= 1
                self.refused(replace(self.sealed, **{name: bytes(changed)}))

    def test_any_length(self) -> None:
        """So is a part that was cut off."""
        for name in ("wrapped_key", "nonce", "ciphertext"):
            for length in range(len(getattr(self.sealed, name))):
                self.refused(replace(self.sealed, **{name: getattr(self.sealed, name)[:length]}))

    def test_parts_of_another_seal(self) -> None:
        """A data key opens its own value alone."""
        other = vault().seal({"account_token": "other"}, OWNER)
        self.refused(replace(self.sealed, ciphertext=other.ciphertext, nonce=other.nonce))
        self.refused(replace(self.sealed, wrapped_key=other.wrapped_key))

    def test_hidden(self) -> None:
        """A value that is logged or shown in an error tells its keys alone."""
        value = vault().open(self.sealed, OWNER)
        for text in (repr(value), str(value), f"{value}", repr([value]), f"{value!r:>9}"):
            self.assertNotIn(SECRET, text)
            self.assertIn("account_token", text)

    def test_errors_hold_nothing(self) -> None:
        """Nor does the whole chain of an error."""
        try:
            vault("other").open(self.sealed, OWNER)
        except CredentialUnreadable as error:
            self.assertNotIn(SECRET, "".join(traceback.format_exception(error)))

    def test_a_mapping(self) -> None:
        """It is read as any mapping, and cannot be changed."""
        value = Secrets(VALUE)
        self.assertEqual(dict(value), VALUE)
        self.assertEqual((len(value), value.get("nothing")), (2, None))
        with self.assertRaises(TypeError):
            value["account_sid"] = "x"  # type: ignore[index]

    def test_no_key(self) -> None:
        """Without a secret key nothing is sealed: an empty one would protect nothing."""
        for sealing in (vault("").seal, Vault(_missing).seal):
            with self.assertRaises(Unavailable) as caught:
                sealing(VALUE, OWNER)
            self.assertIn("the vault has no key", str(caught.exception))

    def test_key_is_asked_once(self) -> None:
        """And not before it is needed: the first start makes the file."""
        asked: list[str] = []

        def key() -> str:
            asked.append("k" * 32)
            return asked[-1]

        one = Vault(key)
        self.assertEqual(asked, [])
        one.open(one.seal(VALUE, OWNER), OWNER)
        self.assertEqual(len(asked), 1)


def _missing() -> str:
    raise PermissionError(13, "Permission denied", "/etc/rapida/secret_key")
