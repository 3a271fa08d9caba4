"""Private keys: however they were pasted, they come out as PEM, or with a sentence."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.store.private_key import normalised
from tests.store.private_keys import (
    PKCS1,
    PKCS8,
    ed25519_pem,
    protected_pem,
    public_pem,
    rsa_pem,
)


def refused(text: str) -> str:
    with pytest.raises(ValueError, match=r"^(must|is) ") as caught:
        normalised(text)
    return str(caught.value)


@pytest.mark.parametrize("form", [PKCS8, PKCS1])
@pytest.mark.parametrize(
    ("before", "line_break", "after"),
    [
        ("", "\n", ""),
        ("", "\r\n", "\r\n\r\n"),
        ("", " ", ""),
        ("", "", ""),
        ("", "\\n", ""),
        ('"', "\\r\\n", '"'),
        ("private key:\n  ", "\n  ", "\nkeep it"),
    ],
)
def test_pasted(form: PrivateFormat, before: str, line_break: str, after: str) -> None:
    """One line, literal \\n, quotes, indentation, words around it: the same key."""
    pem = rsa_pem(form)
    assert normalised(before + pem.replace("\n", line_break) + after) == pem


def test_other_kinds() -> None:
    """Any key that can be read will do: which kind is needed, the carrier knows."""
    pem = ed25519_pem()
    assert normalised(pem.replace("\n", " ")) == pem


def test_any_wrong_letter() -> None:
    """One letter that is wrong is seen, wherever it stands."""
    first, *body, last, _ = rsa_pem().split("\n")
    letters = "".join(body)
    for place in range(0, len(letters), 7):
        other = "A" if letters[place] != "A" else "B"
        changed = letters[:place] + other + letters[place + 1 :]
        assert refused("\n".join((first, changed, last))) == (
            "is no private key that can be read: is it whole?"
        )


@pytest.mark.parametrize("form", [PKCS8, PKCS1])
def test_passphrase(form: PrivateFormat) -> None:
    """A protected key is named as such, in both of its forms."""
    assert "passphrase" in refused(protected_pem(form))


def test_public_key() -> None:
    """The usual mix-up."""
    assert refused(public_pem()) == "must be a private key: this is a public key"


@pytest.mark.parametrize("cut", [1, 30, 500, 1600])
def test_cut_off(cut: int) -> None:
    """What was copied only in part is refused."""
    assert refused(rsa_pem().rstrip()[:-cut]).startswith("must be a private key in PEM")
    assert refused(rsa_pem()[cut:]).startswith("must be a private key in PEM")


@given(st.text() | st.text("-BEGINRIVATKYD AB=\n").map(lambda text: f"-----BEGIN {text}-----"))
def test_nonsense(text: str) -> None:
    """Whatever is given, there is no other error, and nothing of it is repeated."""
    told = refused(text)
    assert told.startswith("must be a private key") or told.startswith("is ")


def pem_of(*numbers: int) -> str:
    """An RSAPrivateKey (RFC 8017, appendix A.1.2) of these numbers."""

    def der(tag: int, content: bytes) -> bytes:
        return bytes((tag, 0x82)) + len(content).to_bytes(2, "big") + content

    integers = (number.to_bytes(number.bit_length() // 8 + 1, "big") for number in numbers)
    short = (bytes((2, len(one))) + one if len(one) < 128 else der(2, one) for one in integers)
    whole = base64.b64encode(der(0x30, b"".join(short))).decode()
    return f"-----BEGIN RSA PRIVATE KEY-----{whole}-----END RSA PRIVATE KEY-----"


_ODD = 2**2047 + 1


@pytest.mark.parametrize(
    ("p", "q"), [(1, _ODD), (_ODD, 1), (0, 5), (3, 5)], ids=["1 n", "n 1", "0 5", "3 5"]
)
def test_no_primes(p: int, q: int) -> None:
    """Numbers that are no key's at all."""
    assert refused(pem_of(0, _ODD, 65537, 3, p, q, 1, 1, 1)).startswith("is no private key")
