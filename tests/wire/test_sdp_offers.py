"""Offers of ours, first ones and within a call, and what is answered to them."""

from __future__ import annotations

import pytest

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sdp import parse
from rapida_tw.wire.sdp_codecs import AUDIO
from rapida_tw.wire.sdp_negotiation import Capabilities, NotAcceptable
from tests.wire.test_sdp_negotiation import OFFERS, WIDE, live, negotiator, offer, version


def test_text_of_an_offer() -> None:
    """Everything we can do, with events of both clocks."""
    text = negotiator(Capabilities(tuple(AUDIO))).offer()
    assert b"m=audio 10042 RTP/AVP 0 8 9 112 113 111 101 110\r\n" in text
    assert b"a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1;stereo=0\r\n" in text
    assert b"a=rtpmap:112 L16/16000\r\na=rtpmap:113 L16/8000\r\n" in text
    assert b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n" in text
    assert len(text) < 700
    assert b"telephone-event/48000" not in negotiator().offer()


def test_late_offer() -> None:
    """Genesys answers in its ACK, with two codecs: both may come, the first is sent."""
    ours = negotiator(WIDE)
    ours.offer()
    agreed = ours.answered(OFFERS["genesys-answer"])
    assert agreed.codec.name == "PCMU"
    assert list(agreed.receive) == [0, 8]
    assert agreed.event is not None
    assert list(agreed.receive_events) == [101]
    assert ours.agreed == agreed
    assert ours.answered(OFFERS["genesys-answer"]) == agreed


def test_numbers_of_their_own() -> None:
    """An answer may renumber: we send theirs, and hear both."""
    ours = negotiator(Capabilities(("opus",)))
    ours.offer()
    text = offer("rtpmap:98 opus/48000/2", "rtpmap:97 telephone-event/8000", numbers="98 97")
    agreed = ours.answered(text)
    assert agreed.codec.payload_type == 98
    assert list(agreed.receive) == [111, 98]
    assert agreed.event is not None
    assert agreed.event.payload_type == 97
    assert list(agreed.receive_events) == [101, 97]
    assert live(ours.offer()).formats[0] == "111"


def test_numbers_without_maps() -> None:
    """An answer that repeats our numbers alone means what we meant."""
    ours = negotiator(Capabilities(("opus", "PCMU")))
    ours.offer()
    text = offer(numbers="111 101").replace(b"a=rtpmap:101 telephone-event/8000\r\n", b"")
    agreed = ours.answered(text)
    assert agreed.codec.name == "opus"
    assert agreed.event is not None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (offer(port=0), NotAcceptable),
        (offer(numbers="9"), NotAcceptable),
        (offer(numbers="101"), NotAcceptable),
        (offer(transport="RTP/SAVP"), NotAcceptable),
        (b"v=0\n", RemoteProtocolError),
        (b"v=0\nm=video 4000 RTP/AVP 0\n", RemoteProtocolError),
        (b"", RemoteProtocolError),
    ],
)
def test_useless_answers(answer: bytes, error: type[Exception]) -> None:
    """They leave the call as it was."""
    ours = negotiator()
    agreed = ours.answer(offer(), False)
    with pytest.raises(RemoteProtocolError):
        ours.answered(offer())
    ours.offer()
    with pytest.raises(error):
        ours.answered(answer)
    assert ours.agreed == agreed


def test_numbers_are_kept() -> None:
    """Our offer within a call calls each codec what they have called it, and reuses no number."""
    ours = negotiator(WIDE)
    text = offer(
        "rtpmap:96 opus/48000/2", "rtpmap:112 speex/8000", "rtpmap:113 iLBC/8000",
        numbers="96 9 0 112 113 101",
    )  # fmt: skip
    ours.answer(text, False)
    line = live(ours.offer())
    assert line.formats == ("9", "96", "97", "98", "0", "8", "101", "110")
    assert "97 L16/16000" in line.values("rtpmap")
    assert live(ours.offer()) == line


def test_two_numbers_for_one_codec() -> None:
    """The first one is its number, and stays that."""
    ours = negotiator(Capabilities(("PCMU",)))
    for numbers in ("97 0", "0 97"):
        ours.answer(offer("rtpmap:97 PCMU/8000", numbers=numbers), False)
        assert live(ours.offer()).formats == ("97", "101")


def test_a_number_taken_away() -> None:
    """What they have given to another codec is not used for the first one."""
    ours = negotiator(Capabilities(("opus", "L16")))
    ours.answer(offer("rtpmap:96 opus/48000/2", numbers="96"), False)
    ours.answer(offer("rtpmap:96 L16/16000", numbers="96"), False)
    assert live(ours.offer()).formats == ("111", "96", "113", "101", "110")


def test_an_offer_is_over() -> None:
    """Once one of theirs has been answered, nothing answers ours."""
    ours = negotiator()
    ours.offer()
    ours.answer(offer(), False)
    with pytest.raises(RemoteProtocolError):
        ours.answered(offer())


def test_comfort_noise_without_its_clock() -> None:
    """It does not go with opus, even where an answer has both."""
    ours = negotiator(Capabilities(("PCMU", "opus")))
    assert ours.answer(offer(numbers="0 13"), False).comfort_noise == 13
    assert "13" in live(ours.offer()).formats
    agreed = ours.answered(offer("rtpmap:111 opus/48000/2", numbers="111 13"))
    assert (agreed.codec.name, agreed.comfort_noise) == ("opus", None)


def test_offer_within_a_call() -> None:
    """Lines that were refused stay refused; the direction is ours: both."""
    ours = negotiator()
    text = b"v=0\r\nm=video 4 RTP/AVP 96\r\n" + offer("sendonly", numbers="0 13")[5:]
    ours.answer(text, False)
    video, audio = parse(ours.offer()).media
    assert (video.kind, video.port) == ("video", 0)
    assert (audio.direction, audio.formats) == ("sendrecv", ("0", "8", "13", "101"))
    assert version(ours.local) == 2


def test_moved() -> None:
    """The next text tells the new port; the origin stays what it was."""
    ours = negotiator()
    ours.answer(offer(), False)
    ours.move("203.0.113.11", 10050)
    text = ours.offer()
    assert b"o=- 88123401 2 IN IP4 203.0.113.10\r\n" in text
    assert b"c=IN IP4 203.0.113.11\r\n" in text
    assert live(text).port == 10050
