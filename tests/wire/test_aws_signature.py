"""AWS's signatures of addresses."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from rapida_tw.wire.aws_signature import Credentials, presigned

# The documentation's example, "Authenticating Requests: Using Query Parameters".
EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
MOMENT = 1369353600.0  # 2013-05-24 00:00 UTC


def test_example() -> None:
    """What AWS documents."""
    url = presigned(
        "https://examplebucket.s3.amazonaws.com/test.txt",
        {},
        EXAMPLE,
        "us-east-1",
        "s3",
        MOMENT,
        86400,
        "UNSIGNED-PAYLOAD",
    )
    assert url == (
        "https://examplebucket.s3.amazonaws.com/test.txt"
        "?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_order_of_fields() -> None:
    """They are sorted as they are written; what has a meaning in a URL is escaped."""
    query = {"b": "a b", "a": "é&=/~"}
    url = presigned("wss://host:8443/p", query, EXAMPLE, "r", "s", MOMENT)
    assert "&a=%C3%A9%26%3D%2F~&b=a%20b&" in url
    names = [pair.partition("=")[0] for pair in urlsplit(url).query.split("&")]
    assert names[:-1] == sorted(names[:-1])
    assert names[-1] == "X-Amz-Signature"


def test_temporary_key() -> None:
    """Its token is part of what is signed."""
    temporary = Credentials(EXAMPLE.key_id, EXAMPLE.secret, "token/of+a session")
    plain, token = (
        parse_qs(urlsplit(presigned("wss://h/p", {}, one, "r", "s", MOMENT)).query)
        for one in (EXAMPLE, temporary)
    )
    assert token["X-Amz-Security-Token"] == ["token/of+a session"]
    assert token["X-Amz-Signature"] != plain["X-Amz-Signature"]


def test_secrets() -> None:
    """They are in no address and in no repr."""
    url = presigned("wss://h/p", {}, EXAMPLE, "r", "s", MOMENT)
    assert "wJalrXUtnFEMI" not in f"{url}{EXAMPLE!r}"
