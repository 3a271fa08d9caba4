"""Private keys for tests: made when first asked for, so that none lies in the repository."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

PKCS8, PKCS1 = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL


@cache
def rsa_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@cache
def rsa_pem(form: PrivateFormat = PKCS8) -> str:
    return rsa_key().private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def protected_pem(form: PrivateFormat) -> str:
    """Under a passphrase."""
    return rsa_key().private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"x")).decode()


def public_pem() -> str:
    public = rsa_key().public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def ed25519_pem() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PKCS8, NoEncryption()).decode()
