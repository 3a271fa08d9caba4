"""gRPC's frames, statuses, deadlines and metadata."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.wire.grpc import (
    Deframer,
    Status,
    TooLarge,
    failed,
    frame,
    metadata_pair,
    metadata_value,
    percent_decoded,
    percent_encoded,
    seconds_of,
    status_of,
    timeout,
)


def test_frame() -> None:
    """A flag, four bytes of length, the message."""
    assert frame(b"abc") == b"\0\0\0\0\3abc"
    assert frame(b"") == b"\0\0\0\0\0"


@given(st.lists(st.binary(max_size=50)), st.lists(st.integers(1, 60)))
def test_any_cut(messages: list[bytes], cuts: list[int]) -> None:
    """Where the network cuts the stream makes no difference."""
    stream = b"".join(map(frame, messages))
    deframer, found = Deframer(), []
    for cut in [*cuts, len(stream) + 1]:
        found += deframer.feed(stream[:cut])
        stream = stream[cut:]
    deframer.finish()
    assert found == messages


@given(st.binary(max_size=60), st.sampled_from(["identity", "gzip", "deflate", "snappy"]))
def test_garbage(data: bytes, encoding: str) -> None:
    """Never another exception than RemoteProtocolError."""
    deframer = Deframer(encoding, 40)
    try:
        for message in deframer.feed(data):
            assert len(message) <= 40
        deframer.finish()
    except RemoteProtocolError:
        pass


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("gzip", gzip.compress(b"a" * 99, mtime=0)), ("deflate", zlib.compress(b"a" * 99))],
)
def test_compressed(encoding: str, packed: bytes) -> None:
    """What is compressed is unpacked, up to the limit; and refused where nobody said how."""
    data = b"\1" + frame(packed)[1:]
    assert list(Deframer(encoding).feed(data)) == [b"a" * 99]
    with pytest.raises(TooLarge):
        list(Deframer(encoding, 98).feed(data))
    with pytest.raises(RemoteProtocolError):
        list(Deframer().feed(data))
    half = b"\1" + frame(packed[:-5])[1:]
    with pytest.raises(RemoteProtocolError):
        list(Deframer(encoding).feed(half))


def test_too_large() -> None:
    """It is refused by its length, before it has come."""
    with pytest.raises(TooLarge):
        list(Deframer(largest=9).feed(b"\0\0\0\0\x0a"))


def test_half_a_message() -> None:
    """A stream that ends within a message is no whole one."""
    deframer = Deframer()
    assert list(deframer.feed(frame(b"abc")[:-1])) == []
    with pytest.raises(RemoteProtocolError):
        deframer.finish()


@given(st.text())
def test_percent(text: str) -> None:
    """There and back, in printable ASCII."""
    encoded = percent_encoded(text)
    assert encoded.isascii()
    assert encoded.isprintable()
    assert percent_decoded(encoded) == text.encode("utf-8", "replace").decode()


def test_percent_examples() -> None:
    """As the document has it; what is encoded wrongly is taken as it is."""
    assert percent_encoded("100% grün\n") == "100%25 gr%C3%BCn%0A"
    assert percent_decoded("%zz %ff") == "%zz \ufffd"


@pytest.mark.parametrize(
    ("text", "http", "status"),
    [
        ("0", 200, Status.OK),
        ("16", 200, Status.UNAUTHENTICATED),
        ("99", 200, Status.UNKNOWN),
        ("x", 200, Status.UNKNOWN),
        ("", 200, Status.UNKNOWN),
        ("²", 200, Status.UNKNOWN),
        ("5", 404, Status.NOT_FOUND),
        (None, 404, Status.UNIMPLEMENTED),
        (None, 503, Status.UNAVAILABLE),
        (None, 418, Status.UNKNOWN),
        (None, 200, Status.UNKNOWN),
    ],
)
def test_status(text: str | None, http: int, status: Status) -> None:
    """gRPC's own where there is one, else what HTTP's means."""
    assert status_of(text, http) is status


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5000m"), (0.25, "250m"), (0, "1m"), (200_000, "200000S"), (1e12, "99999999S")],
)
def test_timeout(seconds: float, text: str) -> None:
    """At most eight digits."""
    assert timeout(seconds) == text


def test_seconds() -> None:
    """Every unit, and what is none."""
    texts = ("1H", "2M", "3S", "4m", "5u", "6n")
    assert [seconds_of(text) for text in texts] == pytest.approx([3600, 120, 3, 4e-3, 5e-6, 6e-9])
    for wrong in ("", "S", "1", "123456789S", "1s", "-1S", "1S "):
        with pytest.raises(RemoteProtocolError):
            seconds_of(wrong)


def test_metadata() -> None:
    """Text as it is, bytes in base64 under "-bin"."""
    assert metadata_pair("X-Goog-Api-Key", "k") == ("x-goog-api-key", "k")
    assert metadata_pair("a-bin", b"\xff\0") == ("a-bin", "/wA")
    assert metadata_value("a-bin", "/wA") == b"\xff\0"
    assert metadata_value("a", "/wA") == "/wA"
    with pytest.raises(RemoteProtocolError):
        metadata_value("a-bin", "?")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a b", "x"),
        ("", "x"),
        ("grpc-status", "0"),
        ("a", b"x"),
        ("a-bin", "x"),
        ("a", "ü"),
        ("a", "\n"),
    ],
)
def test_wrong_metadata(key: str, value: str | bytes) -> None:
    """What cannot be sent is said before it is."""
    with pytest.raises(LocalProtocolError):
        metadata_pair(key, value)


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (16, 401, False),
        (3, 400, False),
        (14, 503, True),
        (8, 429, True),
        (2, 500, True),
        (77, 500, True),
    ],
)
def test_failed(status: int, code: int, retryable: bool) -> None:
    """A sentence with the vendor's words, and whether to try again."""
    error = failed("Google", status, "no")
    assert str(error).startswith("Google: no (")
    assert (error.code, error.retryable) == (code, retryable)
