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
    """Seals and opens; for any thread."""

    def __init__(self, secret_key: Callable[[], str]) -> None:
        """`secret_key` is asked when the first value is sealed or opened; it may raise OSError."""
        self._secret_key = secret_key
        self._derived: AESGCM | None = None

    def seal(self, value: Mapping[str, str], owner: Owner) -> Sealed:
        """`Unavailable` when there is no secret key."""
        label = owner.encode()
        data_key = secrets.token_bytes(_KEY_SIZE)
        wrapping, nonce = secrets.token_bytes(_NONCE_SIZE), secrets.token_bytes(_NONCE_SIZE)
        text = json.dumps(dict(value)).encode("ascii")
        return Sealed(
            wrapping + self._master().encrypt(wrapping, data_key, label),
            nonce,
            AESGCM(data_key).encrypt(nonce, text, label),
        )

    def open(self, sealed: Sealed, owner: Owner) -> Secrets:
        """The value; `CredentialUnreadable`, or `Unavailable` when there is no secret key."""
        label, master = owner.encode(), self._master()
        nonce, wrapped = sealed.wrapped_key[:_NONCE_SIZE], sealed.wrapped_key[_NONCE_SIZE:]
        try:
            data_key = master.decrypt(nonce, wrapped, label)
            text = AESGCM(data_key).decrypt(sealed.nonce, sealed.ciphertext, label)
        except (InvalidTag, ValueError):  # ValueError: a nonce of a size that there is not
            raise CredentialUnreadable(
                f"credential {owner.credential_id} cannot be opened: it was sealed with another "
                "secret_key of the server, or its row was changed"
            ) from None
        return Secrets(json.loads(text))

    def _master(self) -> AESGCM:
        if self._derived is None:
            try:
                secret = self._secret_key()
            except OSError as error:
                what = f"{error.filename or 'the secret key'}: {error.strerror}"
                raise Unavailable(f"the vault has no key: {what}") from None
            if not secret:
                raise Unavailable("the vault has no key: the server's secret_key is empty")
            derivation = HKDF(SHA256(), _KEY_SIZE, salt=None, info=_PURPOSE)
            self._derived = AESGCM(derivation.derive(secret.encode()))
        return self._derived
