"""What a strict phone finds wrong in a description."""

from __future__ import annotations

import pytest

from rapida_tw.sim import sip_sdp
from rapida_tw.sim.sip_sdp import BadDescription, complaints, read, version_complaints, write


def offer(*codecs: str, **others: object) -> bytes:
    told = {"session_id": 1, "version": 1, **others}
    return write("198.51.100.7", 4_000, codecs or ("PCMU", "L16"), **told)  # type: ignore[arg-type]


OFFER = offer()
ANSWER = write(
    "203.0.113.10", 10_000, ("PCMU",), session_id=7, version=1, answering=read(OFFER).audio
)


def test_answer() -> None:
    """A right answer: one codec of the offer, one telephone-event, and no complaint."""
    assert list(complaints(OFFER, ANSWER)) == []
    assert read(ANSWER).audio.formats == [0, 101]


def test_event_of_the_codec() -> None:
    """Events have the codec's clock where the offer has one."""
    answer = write(
        "203.0.113.10", 2, ("L16",), session_id=1, version=1, answering=read(OFFER).audio
    )
    assert read(answer).audio.formats == [107, 102]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"m=audio 10000", b"m=audio 10001", "port 10001 is odd"),
        (b"RTP/AVP 0", b"RTP/SAVP 0", "m=audio RTP/SAVP for audio RTP/AVP"),
        (b"AVP 0 101", b"AVP 0 8 101", "formats [0, 8, 101] of [0, 107, 101, 102]"),
        (b"rtpmap:101 tele", b"rtpmap:101 x-tele", "101 is X-TELEPHONE-EVENT/8000, not"),
        (b"c=IN IP4 203.0.113.10", b"c=IN IP4 0.0.0.0", "media at 0.0.0.0"),
        (b"AVP 0 101", b"AVP 0 0 101", "formats [0, 0, 101]"),
    ],
)
def test_wrong_answer(old: bytes, new: bytes, why: str) -> None:
    """Each rule of RFC 3264 6 that an answer breaks."""
    assert old in ANSWER
    found = list(complaints(OFFER, ANSWER.replace(old, new)))
    assert any(each.startswith(why) for each in found), found


def test_lines() -> None:
    """An answer has as many lines m= as the offer."""
    video = b"m=video 0 RTP/AVP 96\r\n"
    assert list(complaints(OFFER, ANSWER + video)) == ["2 lines m= for 1"]


@pytest.mark.parametrize(
    ("asked", "told", "legal"),
    [
        ("sendrecv", "sendonly", True),
        ("sendonly", "recvonly", True),
        ("sendonly", "sendrecv", False),
        ("inactive", "recvonly", False),
        ("recvonly", "sendonly", True),
    ],
)
def test_directions(asked: str, told: str, legal: bool) -> None:
    """RFC 3264 6.1."""
    wrong = list(complaints(offer(direction=asked), offer(direction=told)))
    assert wrong == ([] if legal else [f"{told} to {asked}"])


@pytest.mark.parametrize(
    "broken",
    [
        OFFER.replace(b"\r\n", b"\n"),
        OFFER.rstrip(),
        OFFER.replace(b"s=-\r\n", b""),
        OFFER.replace(b"o=phone 1 1", b"o=phone one 1"),
        OFFER.replace(b"m=audio 4000", b"m=audio 99999"),
        OFFER.replace(b"c=IN IP4 ", b"c=IN IP9 "),
        b"v=1" + OFFER[3:],
    ],
)
def test_broken(broken: bytes) -> None:
    """What is no description at all."""
    with pytest.raises(BadDescription):
        read(broken)


@pytest.mark.parametrize(
    ("version", "direction", "right"),
    [
        (1, "sendrecv", True),
        (2, "sendonly", True),
        (2, "sendrecv", False),
        (1, "sendonly", False),
        (3, "sendonly", False),
    ],
)
def test_versions(version: int, direction: str, right: bool) -> None:
    """o= goes on by one exactly when the rest has changed (RFC 3264 8)."""
    after = offer(version=version, direction=direction)
    assert (not list(version_complaints(OFFER, after))) is right


def test_nothing_in_common() -> None:
    """An answer needs a codec of the offer."""
    with pytest.raises(BadDescription, match="nothing in common"):
        write("203.0.113.10", 2, ("G722",), session_id=1, version=1, answering=read(OFFER).audio)


def test_no_audio() -> None:
    """A description without audio in use."""
    with pytest.raises(BadDescription, match="no audio"):
        _ = sip_sdp.read(OFFER.replace(b"m=audio 4000", b"m=audio 0")).audio
