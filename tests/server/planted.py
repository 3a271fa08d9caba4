"""Secrets that are planted to be looked for, and every form in which they would be seen."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from urllib.parse import quote

# What is no secret in a credential, and would be wrong in a random form.
OPEN = {
    "account_sid": "AC" + "0" * 32,
    "ari_url": "http://127.0.0.1:9",
    "base_url": "http://127.0.0.1:9",
    "endpoint_technology": "PJSIP",
    "region": "eu-west-1",
    "sip_port": "5060",
    "sip_register": "false",
    "sip_server": "127.0.0.1",
    "sip_transport": "udp",
    "sip_learning": "any",
    "sip_headers": "{}",
    "subdomain": "api.exotel.com",
}


def value(provider: str, fields: Mapping[str, str]) -> dict[str, str]:
    """A value with every key of a provider, a recognisable text in each that may be secret."""
    kept = [name for name, sentence in fields.items() if not sentence.startswith("The same as ")]
    return {name: OPEN.get(name) or f"planted.{provider}.{name}.0f3a" for name in kept}


def seen(secret: str, text: bytes) -> str:
    """In which form the secret stands in there; "" when it does not."""
    return next((form for form, spelled in _forms(secret) if spelled in text), "")


def _forms(secret: str) -> Iterator[tuple[str, bytes]]:
    plain = secret.encode()
    yield "clear", plain
    yield "escaped", quote(secret, safe="").encode()
    yield "backwards", plain[::-1]
    yield "hex", plain.hex().encode()
    yield "HEX", plain.hex().upper().encode()
    for before in range(3):  # wherever in a longer text it began
        first, last = (before * 8 + 5) // 6, (before + len(plain)) * 8 // 6
        for name, encode in (("base64", b64encode), ("urlsafe base64", urlsafe_b64encode)):
            yield name, encode(b"\0" * before + plain)[first:last]
