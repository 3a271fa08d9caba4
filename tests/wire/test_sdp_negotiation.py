"""Offer and answer, with descriptions such as known peers give.

Those in tests/data/sdp are written after what these peers send; they are no captures.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sdp import Media, parse
from rapida_tw.wire.sdp_negotiation import Capabilities, Negotiator, NotAcceptable

DATA = Path(__file__).parents[1] / "data" / "sdp"
OFFERS = {path.stem: path.read_bytes() for path in sorted(DATA.glob("*.sdp"))}
NARROW = Capabilities(("PCMU", "PCMA"))
WIDE = Capabilities(("G722", "opus", "L16", "PCMU", "PCMA"), "optional", True)
REQUIRED = Capabilities(("PCMU", "PCMA"), "required", True)


def negotiator(
    can: Capabilities = NARROW, host: str = "203.0.113.10", port: int = 10042, secure: bool = False
) -> Negotiator:
    """Ours, with keys that can be told apart."""
    keys = count(1)
    return Negotiator(host, port, can, 88123401, lambda n: bytes([next(keys)]) * n, secure)


def offer(
    *attributes: str,
    numbers: str = "0 8 101",
    port: int = 4000,
    version: int = 1,
    host: str = "198.51.100.7",
    transport: str = "RTP/AVP",
) -> bytes:
    lines = [
        "v=0",
        f"o=- 5 {version} IN IP4 198.51.100.7",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} {transport} {numbers}",
        "a=rtpmap:101 telephone-event/8000",
        *(f"a={one}" for one in attributes),
    ]
    return "\r\n".join([*lines, ""]).encode()


def version(text: bytes) -> int:
    origin = parse(text).origin
    assert origin is not None
    return origin.version


def live(text: bytes) -> Media:
    """The one line that is not refused."""
    (media,) = (one for one in parse(text).media if one.port)
    return media


# -- what known peers offer ---------------------------------------------------------------------

# Peer: codec, its number, telephone-event, comfort noise, RTCP's port with WIDE; codec with NARROW.
KNOWN = {
    "asterisk22": ("G722", 9, 101, None, 14681, "PCMU"),
    "baresip": ("G722", 9, 101, None, 27919, "PCMU"),
    "baresip-srtp": ("PCMU", 0, 101, None, 27921, None),
    "cisco": ("PCMU", 0, 101, 19, 17025, "PCMU"),
    "freeswitch": ("G722", 9, 101, 13, 24717, "PCMU"),
    "genesys-answer": ("PCMU", 0, 101, None, 20481, "PCMU"),
    "linphone": ("opus", 96, 101, None, 7079, "PCMU"),
    "telnyx": ("G722", 9, 101, 13, 31059, "PCMU"),
    "twilio": ("PCMU", 0, 101, None, 12785, None),
    "webrtc": (None, 0, 0, None, 0, None),
    "yealink-both": ("G722", 9, 101, None, 11781, "PCMU"),
    "zoiper": ("G722", 9, 101, None, 52114, "PCMU"),
}


@pytest.mark.parametrize("peer", OFFERS)
def test_known_peers(peer: str) -> None:
    """One codec with its telephone-event is agreed on, and every m-line has an answer."""
    name, number, event, noise, rtcp, narrow = KNOWN[peer]
    for can, expected in ((WIDE, name), (NARROW, narrow)):
        ours = negotiator(can)
        if expected is None:
            with pytest.raises(NotAcceptable):
                ours.answer(OFFERS[peer], False)
            assert (ours.local, ours.agreed) == (b"", None)
            continue
        agreed = ours.answer(OFFERS[peer], False)
        assert agreed.codec.name == expected
        offered, answered = parse(OFFERS[peer]), parse(ours.local)
        assert [one.kind for one in answered.media] == [one.kind for one in offered.media]
        if can is WIDE:
            assert agreed.codec.payload_type == number
            assert agreed.event is not None
            assert (agreed.event.payload_type, agreed.comfort_noise) == (event, noise)
            assert agreed.rtcp_port == rtcp
        assert (agreed.sends, agreed.hears, agreed.ptime) == (True, True, 20)
        line = live(ours.local)
        assert line.formats[0] == str(agreed.codec.payload_type)
        assert set(line.formats) <= set(parse(OFFERS[peer]).media[0].formats)


def test_text_of_an_answer() -> None:
    """The answer to Asterisk, byte for byte."""
    ours = negotiator()
    ours.answer(OFFERS["asterisk22"], False)
    assert ours.local == (
        b"v=0\r\no=- 88123401 1 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\n"
        b"m=audio 10042 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
        b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def test_opus() -> None:
    """It is answered as RFC 7587 spells it, with its own event clock where that is offered."""
    ours = negotiator(Capabilities(("opus",)))
    agreed = ours.answer(OFFERS["asterisk22"], False)
    assert b"a=rtpmap:107 opus/48000/2\r\na=fmtp:107 useinbandfec=1;stereo=0\r\n" in ours.local
    assert agreed.event is not None
    assert (agreed.event.payload_type, agreed.event.rate) == (102, 48000)
    assert agreed.codec.fmtp == "useinbandfec=1"  # theirs, for our encoder
    agreed = negotiator(Capabilities(("opus",))).answer(OFFERS["baresip"], False)
    assert agreed.event is not None
    assert (agreed.event.payload_type, agreed.event.rate) == (101, 8000)


def test_l16() -> None:
    """The wider rate is preferred, and an event of another clock than 8000 is not for 8000."""
    can = Capabilities(("L16",))
    mapped = ("rtpmap:96 L16/8000", "rtpmap:97 L16/16000")
    ours = negotiator(can)
    agreed = ours.answer(offer(*mapped, numbers="96 97 10 11"), False)
    assert (agreed.codec.payload_type, agreed.codec.rate) == (97, 16000)
    with pytest.raises(NotAcceptable):
        negotiator(can).answer(offer(numbers="10 11"), False)
    agreed = negotiator().answer(offer("rtpmap:99 telephone-event/48000", numbers="0 99"), False)
    assert agreed.event is None


def test_preference() -> None:
    """It is ours, whatever their order."""
    for numbers in ("0 8", "8 0"):
        agreed = negotiator(Capabilities(("PCMA", "PCMU"))).answer(offer(numbers=numbers), False)
        assert agreed.codec.name == "PCMA"
        assert list(agreed.receive) == [8]


def test_g722_is_written_without_channels() -> None:
    """And with the clock that history gave it."""
    ours = negotiator(WIDE)
    ours.answer(OFFERS["telnyx"], False)
    assert b"a=rtpmap:9 G722/8000\r\n" in ours.local


def test_comfort_noise() -> None:
    """Only with a codec of its clock, and only when it was offered."""
    can = Capabilities(("opus",))
    assert negotiator(can).answer(OFFERS["freeswitch"], False).comfort_noise is None
    assert negotiator(can).answer(OFFERS["freeswitch"], False).event is not None
    assert negotiator().answer(offer(numbers="0 13"), False).comfort_noise == 13


def test_profile_with_feedback() -> None:
    """AVPF is echoed, its feedback is not; video is refused with a format."""
    ours = negotiator()
    ours.answer(OFFERS["linphone"], False)
    assert b"m=audio 10042 RTP/AVPF 0 100\r\n" in ours.local
    assert b"m=video 0 RTP/AVPF 96\r\n" in ours.local
    assert b"rtcp-fb" not in ours.local


# -- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"v=0\n", "no media"),
        (b"v=0\nm=video 4 RTP/AVP 96\na=rtpmap:96 VP8/90000\n", "video RTP/AVP vp8"),
        (offer(port=0), "audio RTP/AVP 0 8 telephone-event with port 0"),
        (offer(numbers="18 3"), "audio RTP/AVP 18 3"),
        (offer(numbers="101"), "audio RTP/AVP telephone-event"),
        (offer(transport="udptl"), "audio udptl 0 8 telephone-event"),
        (offer(transport="RTP/SAVP"), "audio RTP/SAVP 0 8 telephone-event"),
        (OFFERS["webrtc"], "audio UDP/TLS/RTP/SAVPF opus red g722 pcmu pcma cn telephone-event "
         "telephone-event"),
    ],
)  # fmt: skip
def test_not_acceptable(text: bytes, said: str) -> None:
    """The reason says what they offered."""
    with pytest.raises(NotAcceptable) as caught:
        negotiator().answer(text, False)
    assert str(caught.value) == f"offered {said}"


def test_a_refused_offer_changes_nothing() -> None:
    """Neither text nor agreement, and the next offer is answered as if it had not been."""
    ours = negotiator()
    agreed = ours.answer(offer(), False)
    text = ours.local
    for refused in (offer(numbers="18", version=2), b"nonsense", OFFERS["twilio"]):
        with pytest.raises(RemoteProtocolError):
            ours.answer(refused, False)
    assert (ours.local, ours.agreed) == (text, agreed)
    assert ours.answer(offer(version=3), False) == agreed
    assert ours.local == text


def test_more_than_sixteen() -> None:
    """Audio behind sixteen other lines is not looked for, in front of them it is."""
    others = b"m=video 4 RTP/AVP 96\n" * 16
    head, audio = offer().split(b"m=audio", 1)
    with pytest.raises(NotAcceptable):
        negotiator().answer(head + others + b"m=audio" + audio, False)
    ours = negotiator()
    ours.answer(head + b"m=audio" + audio + others, False)
    assert len(parse(ours.local).media) == 17


@pytest.mark.parametrize(
    ("codecs", "srtp", "available"),
    [((), "off", True), (("GSM",), "off", True), (("PCMU",), "on", True),
     (("PCMU",), "required", False)],
)  # fmt: skip
def test_contradictions(codecs: tuple[str, ...], srtp: str, available: bool) -> None:
    """Capabilities that nobody has are told at once."""
    with pytest.raises(ValueError, match=r"codecs|srtp"):
        Capabilities(codecs, srtp, available)


# -- hold, refresh, changes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "host", "ours", "sends", "hears"),
    [
        ("sendrecv", "198.51.100.7", "sendrecv", True, True),
        ("sendonly", "198.51.100.7", "recvonly", False, True),
        ("recvonly", "198.51.100.7", "sendonly", True, False),
        ("inactive", "198.51.100.7", "inactive", False, False),
        ("sendrecv", "0.0.0.0", "recvonly", False, True),
        ("sendonly", "0.0.0.0", "recvonly", False, True),
        ("recvonly", "0.0.0.0", "inactive", False, False),
        ("inactive", "0.0.0.0", "inactive", False, False),
    ],
)
def test_hold(theirs: str, host: str, ours: str, sends: bool, hears: bool) -> None:
    """Old and new ways to hold, and back: each text that differs has its version."""
    one = negotiator()
    agreed = one.answer(offer(), False)
    held = one.answer(offer(theirs, version=2, host=host), False)
    assert (held.sends, held.hears, held.held) == (sends, hears, not sends)
    assert live(one.local).direction == ours
    assert version(one.local) == (1 if ours == "sendrecv" else 2)
    assert one.answer(offer(version=3), False) == agreed
    assert version(one.local) == (1 if ours == "sendrecv" else 3)


def test_refresh() -> None:
    """The same version again is answered unchanged, also when we have refreshed meanwhile."""
    ours = negotiator()
    agreed = ours.answer(offer(), False)
    text = ours.local
    assert (ours.answer(offer(), False), ours.local) == (agreed, text)
    ours.refresh()
    ours.answered(offer(numbers="0 101", version=2))
    assert (ours.answer(offer(), False), ours.local) == (agreed, text)


def test_hold_without_a_version() -> None:
    """A phone that holds with the version of before is held nevertheless."""
    ours = negotiator()
    ours.answer(offer(), False)
    assert ours.answer(offer("sendonly"), False).held
    assert (version(ours.local), live(ours.local).direction) == (2, "recvonly")


def test_version_counts_with_our_text() -> None:
    """Not with theirs."""
    ours = negotiator()
    ours.answer(offer(), False)
    ours.answer(offer(version=2, port=5000), False)
    assert version(ours.local) == 1
    ours.answer(offer(version=3, numbers="8"), False)
    assert version(ours.local) == 2
    assert ours.agreed is not None
    assert ours.agreed.codec.name == "PCMA"


def test_refreshed_by_us() -> None:
    """`refresh` is the last text again; after an offer of ours that failed it has a new version."""
    ours = negotiator()
    agreed = ours.answer(offer("sendonly"), False)
    text = ours.local
    assert ours.refresh() == text
    assert ours.answered(offer("sendonly")) == agreed
    ours.offer()
    assert version(ours.local) == 2
    assert parse(ours.refresh()).media == parse(text).media
    assert version(ours.local) == 3


def test_stream_ended() -> None:
    """Port 0 for all is silence, not an end; with other media it is a 488; it may come back."""
    ours = negotiator()
    agreed = ours.answer(offer(), False)
    with pytest.raises(NotAcceptable):
        ours.answer(offer(port=0, version=2) + b"m=image 4 udptl t38\r\n", False)
    assert ours.agreed == agreed
    ended = ours.answer(offer(port=0, version=2), False)
    assert (ended.codec, ended.host, ended.port) == (agreed.codec, "", 0)
    assert (ended.sends, ended.hears) == (False, False)
    assert parse(ours.local).media[0].port == 0
    assert live(ours.refresh()).port == 10042
    assert ours.answer(offer(version=3), False) == agreed


def test_second_line_ended() -> None:
    """The line that ends is ours, wherever it stands."""
    ours = negotiator()
    video = b"v=0\r\nm=video 4 RTP/AVP 96\r\n"
    ours.answer(video + offer()[5:], False)
    ours.answer(video.replace(b"4", b"0") + offer(port=0)[5:], False)
    assert [one.kind for one in parse(ours.local).media] == ["video", "audio"]
    assert [one.port for one in parse(ours.offer()).media] == [0, 10042]


def test_timing() -> None:
    """The answer has the offer's (RFC 3264 6), when that can be read."""
    for written, told in ((b"t=2873397496 0", b"2873397496 0"), (b"t=now 0", b"0 0")):
        ours = negotiator()
        ours.answer(offer().replace(b"t=0 0", written), False)
        assert b"\r\nt=" + told + b"\r\n" in ours.local


def test_multiplexed() -> None:
    """RTCP on the port of RTP where they ask for it, unless a payload type stood in its way."""
    ours = negotiator()
    agreed = ours.answer(offer("rtcp-mux", "rtcp:4711"), False)
    assert (agreed.rtcp_mux, agreed.rtcp_port) == (True, 4000)
    assert b"a=rtcp-mux\r\n" in ours.local
    assert b"a=rtcp-mux\r\n" in ours.offer()
    taken = negotiator().answer(offer("rtcp-mux", "rtpmap:77 PCMU/8000", numbers="77"), False)
    assert not taken.rtcp_mux
    assert b"rtcp-mux" not in negotiator().offer()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("4711", ("198.51.100.7", 4711)),
        ("4711 IN IP4 198.51.100.8", ("198.51.100.8", 4711)),
        ("4711 IN IP4 127.0.0.1", ("", 4711)),
        ("0", ("198.51.100.7", 4001)),
        ("70000", ("198.51.100.7", 4001)),
        ("x", ("198.51.100.7", 4001)),
    ],
)
def test_rtcp(value: str, expected: tuple[str, int]) -> None:
    """Where reports go: RFC 3605, else the next port."""
    agreed = negotiator().answer(offer(f"rtcp:{value}"), False)
    assert (agreed.rtcp_host, agreed.rtcp_port) == expected


def test_last_port() -> None:
    """There is none behind it, and odd ones are fine."""
    assert negotiator().answer(offer(port=65535), False).rtcp_port == 0


def test_ipv6() -> None:
    """Without brackets, both ways."""
    ours = negotiator(host="2001:DB8::0:1")
    agreed = ours.answer(offer().replace(b"IP4 198.51.100.7", b"IP6 2001:db8::7"), False)
    assert agreed.host == "2001:db8::7"
    assert b"c=IN IP6 2001:db8::1\r\n" in ours.local
    with pytest.raises(ValueError, match="no IP address"):
        negotiator(host="sip.example.org")


def test_answer_repeated_as_offer() -> None:
    """What they answered to our offer, offered by them, gets an answer and not our offer again."""
    ours = negotiator(WIDE)
    ours.offer()
    ours.answered(offer("sendonly", numbers="0 101"))
    ours.answer(offer("sendonly", numbers="0 101"), False)
    assert live(ours.local).formats == ("0", "101")
    assert live(ours.local).direction == "recvonly"
