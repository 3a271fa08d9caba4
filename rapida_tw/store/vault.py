"""The vault: seals a credential's value for the database, by envelope encryption.

Each value has a random data key of its own (AES-256-GCM), which is sealed in its turn with a key
derived from the server's secret key (HKDF, RFC 5869). Both seals cover whose value it is, so a row
that was put in another's place does not open.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rapida_tw.errors import CallError, Fault, Unavailable

_KEY_SIZE = 32  # bytes: AES-256
_NONCE_SIZE = 12  # bytes: what GCM takes as it is (NIST SP 800-38D, section 8.2)
_MOST_KEYS = 3  # of the server, that are known at once
_PURPOSE = b"rapida_tw vault 1"  # the secret key may serve others, who then get other keys


class CredentialUnreadable(CallError):
    """The credential was sealed with another secret key of the server, or its row was changed."""

    fault, reason, status = Fault.CONFIGURATION, "credential-unreadable", 503


class Secrets(Mapping[str, str]):
    """A credential's value, which shows its keys and never what they hold."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, key: str) -> str:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Secrets: {', '.join(self._values)}>"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose value it is: part of what is sealed."""

    credential_id: int
    project_id: int
    provider: str

    def encode(self) -> bytes:
        return json.dumps([self.credential_id, self.project_id, self.provider]).encode("ascii")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A value as the database keeps it."""

    wrapped_key: bytes  # the nonce first
    nonce: bytes
    ciphertext: bytes


class Vault:
    """Seals and opens; for any thread.

    The server's key may be exchanged at any time (rotation.py): it is asked for whenever something
    is sealed, and when something does not open with the keys that are known.
    """

    def __init__(
        self, secret_key: Callable[[], str], former_key: Callable[[], str] = lambda: ""
    ) -> None:
        """Both may raise OSError; `former_key` is "" unless an exchange is under way."""
        self._secret_key = secret_key
        self._former_key = former_key
        self._masters: dict[str, AESGCM] = {}  # in the order of their likelihood

    def seal(self, value: Mapping[str, str], owner: Owner) -> Sealed:
        """`Unavailable` when there is no secret key. Within the transaction that keeps it."""
        label = owner.encode()
        data_key = secrets.token_bytes(_KEY_SIZE)
        nonce = secrets.token_bytes(_NONCE_SIZE)
        text = json.dumps(dict(value)).encode("ascii")
        return Sealed(
            self._wrap(data_key, label),
            nonce,
            AESGCM(data_key).encrypt(nonce, text, label),
        )

    def open(self, sealed: Sealed, owner: Owner) -> Secrets:
        """The value; `CredentialUnreadable`, or `Unavailable` when there is no secret key."""
        label = owner.encode()
        data_key = self._unwrap(sealed.wrapped_key, label)
        try:
            if data_key is None:
                raise InvalidTag
            text = AESGCM(data_key).decrypt(sealed.nonce, sealed.ciphertext, label)
        except (InvalidTag, ValueError):  # ValueError: a nonce of a size that there is not
            raise _unreadable(owner) from None
        return Secrets(json.loads(text))

    def rewrapped(self, wrapped_key: bytes, owner: Owner) -> bytes | None:
        """The same data key, sealed with the key of now; None when it already is.

        `CredentialUnreadable`, `Unavailable`.
        """
        label, (current, *_) = owner.encode(), self._keys()
        if _opened(self._master(current), wrapped_key, label) is not None:
            return None
        data_key = self._unwrap(wrapped_key, label)
        if data_key is None:
            raise _unreadable(owner)
        return self._wrap(data_key, label)

    def _wrap(self, data_key: bytes, label: bytes) -> bytes:
        current, *_ = self._keys()
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return nonce + self._master(current).encrypt(nonce, data_key, label)

    def _unwrap(self, wrapped_key: bytes, label: bytes) -> bytes | None:
        known = dict(self._masters)
        for master in known.values():
            if (data_key := _opened(master, wrapped_key, label)) is not None:
                return data_key
        for key in self._keys():
            if key in known:
                continue
            if (data_key := _opened(self._master(key), wrapped_key, label)) is not None:
                return data_key
        return None

    def _keys(self) -> list[str]:
        """The keys of now, the one that seals first; `Unavailable` when it is not to be had.

        The former is read last: an exchange in between has then left what was the current one.
        """
        try:
            keys = [self._secret_key(), self._former_key()]
        except OSError as error:
            what = f"{error.filename or 'the secret key'}: {error.strerror}"
            raise Unavailable(f"the vault has no key: {what}") from None
        if not keys[0]:
            raise Unavailable("the vault has no key: the server's secret_key is empty")
        return [key for key in keys if key]

    def _master(self, key: str) -> AESGCM:
        master = self._masters.get(key)
        if master is None:
            derivation = HKDF(SHA256(), _KEY_SIZE, salt=None, info=_PURPOSE)
            master = AESGCM(derivation.derive(key.encode()))
            # Replaced as a whole, for other threads read it; the newest is the likeliest.
            latest = list(self._masters.items())[: _MOST_KEYS - 1]
            self._masters = {key: master, **dict(latest)}
        return master


def _opened(master: AESGCM, wrapped_key: bytes, label: bytes) -> bytes | None:
    try:
        return master.decrypt(wrapped_key[:_NONCE_SIZE], wrapped_key[_NONCE_SIZE:], label)
    except (InvalidTag, ValueError):
        return None


def _unreadable(owner: Owner) -> CredentialUnreadable:
    return CredentialUnreadable(
        f"credential {owner.credential_id} cannot be opened: it was sealed with another "
        "secret_key of the server, or its row was changed"
    )
