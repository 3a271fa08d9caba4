"""Digest authentication: hashes, headers, checks and answers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import astuple, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.wire.sip_digest import (
    ALGORITHMS,
    Challenge,
    Credentials,
    answer,
    check,
    expected,
    ha1,
)

USER, REALM, PASSWORD = "123456789", "rapida", "rpd-0a1b2c3d"
NONCE = "6750a1c0.9f3c2b7d51e80a46.5f0c8e1d2b3a49678c7d6e5f"
URI = "sip:15551234567@203.0.113.10:5090"
# Worked out by hand for the protocol notes.
VECTORS = {
    "MD5": ("089bc637d8596fd35e8d72fa7d488cf4", "3652e0758f5c4a20348056927461967b"),
    "SHA-256": (
        "9b1c010c4dc3b6dc952fbd8d25b89dc086df89df4adeaaa5ffceb58d85832700",
        "9c0170fcda5068b5660d3ecc38fc4b513dac7d76a78bf2ee5671bdcf6c9a749f",
    ),
}
HEADER = (
    f'Digest username="{USER}", realm="{REALM}", nonce="{NONCE}", uri="{URI}", '
    f'response="{VECTORS["MD5"][1]}", algorithm=MD5, qop=auth, nc=00000001, cnonce="b7c1d2e3"'
)
CREDENTIALS = Credentials.parse(HEADER)
SECRET = VECTORS["MD5"][0]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_vector(algorithm: str) -> None:
    """The test vector, whose numbers are the world's."""
    secret, response = VECTORS[algorithm]
    assert ha1(algorithm, USER, REALM, PASSWORD) == secret
    assert expected(algorithm, secret, NONCE, "00000001", "b7c1d2e3", "INVITE", URI) == response


def test_rfc_7616() -> None:
    """The example of RFC 7616 3.9.1, with both algorithms."""
    uri, cnonce = "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    found = {
        algorithm: expected(
            algorithm,
            ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life"),
            nonce,
            "00000001",
            cnonce,
            "GET",
            uri,
        )
        for algorithm in ALGORITHMS
    }
    assert found == {
        "MD5": "8ca523f5e9506fed4657c9700eebdbec",
        "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    }


def test_credentials() -> None:
    """Every parameter, unquoted."""
    wanted = (USER, REALM, NONCE, URI, VECTORS["MD5"][1], "MD5", "auth", "00000001", "b7c1d2e3")
    assert astuple(CREDENTIALS) == (*wanted, "")
    assert Credentials.parse(str(CREDENTIALS)) == CREDENTIALS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Digest ", "DIGEST  "),
        ("algorithm=MD5", 'algorithm="md5"'),
        (", algorithm=MD5", ""),
        ("qop=auth", 'qop="AUTH"'),
        ("username=", "UserName = "),
        (", ", ","),
        (f'nonce="{NONCE}"', f"nonce={NONCE}"),
    ],
)
def test_spellings(old: str, new: str) -> None:
    """What phones write otherwise means the same."""
    assert old in HEADER
    assert Credentials.parse(HEADER.replace(old, new)) == CREDENTIALS


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Digest",
        "Basic YTpi",
        "NoOneKnowsThisScheme opaque-data=here",
        *(HEADER.replace(name, "x-" + name) for name in ("username", "realm", "uri", "response")),
        HEADER.replace(" nonce", " x-nonce"),
        HEADER.replace("nc=00000001, ", ""),
        HEADER.replace("00000001", "1"),
        HEADER.replace("00000001", "0000000g"),
        HEADER.replace("00000001", "٠٠٠٠٠٠٠١"),
        HEADER.replace(', cnonce="b7c1d2e3"', ""),
        HEADER[:-1],
    ],
)
def test_credentials_refused(header: str) -> None:
    """Another scheme, or something missing."""
    with pytest.raises(RemoteProtocolError):
        Credentials.parse(header)


def test_response_is_not_shown() -> None:
    """repr is made for logs."""
    assert CREDENTIALS.response not in repr(CREDENTIALS)


def test_challenge() -> None:
    """As it stands in a 401: qop in quotes, the algorithm without."""
    challenge = Challenge(REALM, "n", "SHA-256", stale=True, opaque="o")
    text = 'Digest realm="rapida", nonce="n", algorithm=SHA-256, qop="auth", stale=true, opaque="o"'
    assert str(challenge) == text
    assert Challenge.parse(text) == challenge
    assert str(Challenge(REALM, "n")) == (
        'Digest realm="rapida", nonce="n", algorithm=MD5, qop="auth"'
    )


@pytest.mark.parametrize("header", ['Digest realm="x"', 'Digest nonce="x"', 'Basic realm="x"'])
def test_challenge_refused(header: str) -> None:
    """Nothing that could be answered."""
    with pytest.raises(RemoteProtocolError):
        Challenge.parse(header)


# -- checking ----------------------------------------------------------------------------------


def test_check() -> None:
    """The place of the secret that fits."""
    assert check(CREDENTIALS, "INVITE", [SECRET]) == 0
    assert check(CREDENTIALS, "INVITE", ["0" * 32, SECRET, SECRET]) == 1
    upper = replace(CREDENTIALS, response=CREDENTIALS.response.upper())
    assert check(upper, "INVITE", [SECRET]) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"response": "0" * 32},
        {"response": ""},
        {"response": "ä"},
        {"response": "\udcff"},
        {"uri": "sip:other@203.0.113.10:5090"},
        {"nc": "00000002"},
        {"nonce": "other"},
        {"cnonce": "other"},
        {"algorithm": "SHA-256"},
        {"algorithm": "MD5-SESS"},
        {"qop": ""},
        {"qop": "auth-int"},
    ],
)
def test_check_wrong(changes: dict[str, str]) -> None:
    """Nothing of what was hashed may differ, and nothing may be left out."""
    assert check(replace(CREDENTIALS, **changes), "INVITE", [SECRET]) is None


def test_check_method() -> None:
    """An answer that was caught from a REGISTER is no use for an INVITE."""
    assert check(CREDENTIALS, "REGISTER", [SECRET]) is None


def test_check_nobody() -> None:
    """Without a secret nothing fits."""
    assert check(CREDENTIALS, "INVITE", []) is None


# -- answering ---------------------------------------------------------------------------------


def test_answer() -> None:
    """The answer to a challenge is what the test vector says."""
    challenge = str(Challenge(REALM, NONCE))
    assert answer([challenge], "INVITE", URI, USER, PASSWORD, "b7c1d2e3") == str(CREDENTIALS)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_answer_checks(algorithm: str) -> None:
    """What we answer we would take, with names that need quoting."""
    user, realm, password = 'a"b\\c', 'r, "x"', 'p:"ä'
    value = answer(
        [str(Challenge(realm, NONCE, algorithm, opaque="o,p"))],
        "BYE", "sip:x@h", user, password, "c", 255,
    )  # fmt: skip
    assert value is not None
    found = Credentials.parse(value)
    assert (found.username, found.realm, found.opaque, found.nc) == (user, realm, "o,p", "000000ff")
    assert check(found, "BYE", [ha1(algorithm, user, realm, password)]) == 0


def test_answer_first_known() -> None:
    """The first challenge that we understand; the others are passed over."""
    challenges = [
        'Basic realm="x"',
        'Digest realm="x"',
        'Digest realm="x", nonce="1", algorithm=SHA-512-256, qop="auth"',
        'Digest realm="x", nonce="2", algorithm=MD5, qop="auth-int"',
        'Digest realm="x", nonce="3", algorithm=sha-256, qop="auth-int, auth"',
        'Digest realm="x", nonce="4", algorithm=MD5, qop="auth"',
    ]
    value = answer(challenges, "INVITE", "sip:h", "u", "p", "c")
    assert value is not None
    assert Credentials.parse(value).nonce == "3"
    assert answer(challenges[:4], "INVITE", "sip:h", "u", "p", "c") is None


def test_answer_without_qop() -> None:
    """RFC 2069: the example of that RFC's errata, which has no cnonce."""
    challenge = (
        'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5c"'
    )
    value = answer([challenge], "GET", "/dir/index.html", "Mufasa", "CircleOfLife", "c")
    assert value is not None
    assert Credentials.parse(value).response == "1949323746fe6a43ef61f9606e7febea"
    assert "qop" not in value
    assert 'opaque="5c"' in value


def test_lone_surrogate() -> None:
    """A password that is no text is our own mistake."""
    with pytest.raises(LocalProtocolError):
        ha1("MD5", "u", "r", "\ud800")


@given(st.text(alphabet='Digest ",=\\realmnonceuriqop<>;é', max_size=80))
def test_any_text(text: str) -> None:
    """Nothing but RemoteProtocolError."""
    for kind in (Credentials, Challenge):
        for header in (text, "Digest " + text, HEADER + text):
            with suppress(RemoteProtocolError):
                kind.parse(header)
    answer([text, "Digest " + text], "INVITE", "sip:h", "u", "p", "c")
