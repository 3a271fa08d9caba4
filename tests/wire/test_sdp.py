"""Descriptions: what is read, what is written, and how far a broken one gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sdp import Description, Media, Origin, parse
from rapida_tw.wire.sdp_address import reachable, unspecified
from rapida_tw.wire.sdp_agreement import packet_time
from rapida_tw.wire.sdp_codecs import events_taken, formats
from rapida_tw.wire.sdp_crypto import Crypto, lines

DATA = Path(__file__).parents[1] / "data" / "sdp"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"


def audio(*attributes: str, numbers: str = "0", transport: str = "RTP/AVP") -> Media:
    """The audio line of a small description."""
    text = f"v=0\nc=IN IP4 198.51.100.7\nm=audio 4000 {transport} {numbers}\n"
    return parse((text + "".join(f"a={one}\n" for one in attributes)).encode()).media[0]


@pytest.mark.parametrize("path", sorted(DATA.glob("*.sdp")), ids=lambda path: path.stem)
def test_line_ends(path: Path) -> None:
    """CRLF, LF and CR alone say the same."""
    data = path.read_bytes()
    told = parse(data)
    assert told.media
    assert parse(data.replace(b"\n", b"\r\n")) == told
    assert parse(data.replace(b"\n", b"\r")) == told


@pytest.mark.parametrize("path", sorted(DATA.glob("*.sdp")), ids=lambda path: path.stem)
def test_written_again(path: Path) -> None:
    """What was read can be written, and reads the same."""
    told = parse(path.read_bytes())
    assert parse(told.encode()) == told


def test_read() -> None:
    """Origin, addresses and media of a gateway with an address for its media alone."""
    told = parse((DATA / "cisco.sdp").read_bytes())
    assert told.origin == Origin(5283, 9611, "198.51.100.90", "CiscoSystemsSIP-GW-UserAgent")
    assert told.host == "198.51.100.90"
    sound, image = told.media
    assert (sound.kind, sound.port, sound.transport) == ("audio", 17024, "RTP/AVP")
    assert sound.formats == ("18", "0", "8", "101", "19")
    assert sound.host == "198.51.100.91"
    assert image.refused == Media("image", 0, "udptl", ("t38",))


def test_written() -> None:
    """The text of a description, byte for byte."""
    media = Media("audio", 10042, "RTP/AVP", ("0",), "2001:db8::1", (("ptime", "20"), ("mid", "")))
    told = Description(Origin(7, 3, "2001:db8::1"), "2001:db8::1", (media,))
    assert told.encode() == (
        b"v=0\r\no=- 7 3 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\n"
        b"m=audio 10042 RTP/AVP 0\r\na=ptime:20\r\na=mid\r\n"
    )


def test_many_formats() -> None:
    """There are no more than there are payload types, each told once."""
    numbers = " ".join(str(one) for one in (5, 5, *range(300)))
    assert audio(numbers=numbers).formats == ("5", "0", *map(str, (1, 2, 3, 4, *range(6, 128))))


def test_unknown_lines() -> None:
    """What we do not know, or cannot read, is passed over."""
    text = "v=0\nnonsense\nz=0 0\n=\n\no=broken\nm=audio 4000 RTP/AVP 0 \xe9 0\na\na=:\nk=x\n"
    told = parse(text.encode("latin-1"))
    assert told.origin is None
    assert told.media[0].formats == ("0",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "v=1\nm=audio 4000 RTP/AVP 0\n",
        "m=audio 4000 RTP/AVP 0\nv=0\n",
        "v=0\nm=audio 65536 RTP/AVP 0\n",
        "v=0\nm=audio -1 RTP/AVP 0\n",
        "v=0\nm=audio 4_0 RTP/AVP 0\n",
        "v=0\nm=audio \xb2 RTP/AVP 0\n",
        "v=0\nm=audio 4000\n",
        "v=0\nm=\n",
        "v=0\n" + "m=audio 4000 RTP/AVP 0\n" * 257,
        "v=0\n" + "a=x\n" * 1_000,
        "v=0\na=" + "x" * 65_536,
    ],
    ids=lambda text: repr(text[:24]),
)
def test_malformed(text: str) -> None:
    """None of these can be answered line by line."""
    with pytest.raises(RemoteProtocolError):
        parse(text.encode("latin-1"))


@pytest.mark.parametrize(
    ("session", "own", "direction"),
    [
        ("", "", "sendrecv"),
        ("a=sendonly\n", "", "sendonly"),
        ("a=sendonly\n", "a=recvonly\n", "recvonly"),
        ("", "a=inactive\n", "inactive"),
        ("", "a=SendOnly\n", "sendonly"),
    ],
)
def test_direction(session: str, own: str, direction: str) -> None:
    """The media's own word beats the session's; none is both ways."""
    told = parse(f"v=0\n{session}m=audio 4000 RTP/AVP 0\n{own}".encode())
    assert told.media[0].direction == direction


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("IN IP4 198.51.100.7", "198.51.100.7"),
        ("IN IP4 224.2.1.1/127/3", "224.2.1.1"),
        ("IN IP6 2001:db8::7", "2001:db8::7"),
        ("IN IP6 [2001:db8::7]", "2001:db8::7"),
        ("IN IP4 media.example.org", "media.example.org"),
        ("ATM NSAP 47", ""),
    ],
)
def test_connection(line: str, host: str) -> None:
    """What a c= line names, without TTL and brackets."""
    assert parse(f"v=0\nc={line}\nm=audio 4000 RTP/AVP 0\n".encode()).media[0].host == host


@pytest.mark.parametrize(
    ("host", "ours", "expected"),
    [
        ("198.51.100.7", "203.0.113.10", "198.51.100.7"),
        ("10.0.0.7", "203.0.113.10", "10.0.0.7"),
        ("media.example.org", "203.0.113.10", ""),
        ("198.51.100.007", "203.0.113.10", ""),
        ("0.0.0.0", "203.0.113.10", ""),
        ("0.1.2.3", "203.0.113.10", ""),
        ("224.2.1.1", "203.0.113.10", ""),
        ("255.255.255.255", "203.0.113.10", ""),
        ("240.0.0.1", "203.0.113.10", ""),
        ("127.0.0.1", "203.0.113.10", ""),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.1", "127.0.0.2"),
        ("198.51.100.7", "127.0.0.1", "198.51.100.7"),
        ("2001:DB8:0::7", "2001:db8::1", "2001:db8::7"),
        ("::ffff:198.51.100.7", "203.0.113.10", "198.51.100.7"),
        ("::", "2001:db8::1", ""),
        ("::1", "2001:db8::1", ""),
        ("::1", "::1", "::1"),
        ("ff02::1", "2001:db8::1", ""),
        ("fe80::1%eth0", "2001:db8::1", ""),
        ("2001:db8::7", "203.0.113.10", ""),
        ("198.51.100.7", "2001:db8::1", ""),
        ("", "203.0.113.10", ""),
    ],
)
def test_reachable(host: str, ours: str, expected: str) -> None:
    """Where audio may be sent to, and where nobody has us send."""
    assert reachable(host, ours) == expected


def test_old_hold() -> None:
    """The two addresses that are no address."""
    assert unspecified("0.0.0.0")
    assert unspecified("::")
    assert not unspecified("198.51.100.7")
    assert not unspecified("hold.example.org")


def test_formats() -> None:
    """Static types need no rtpmap, names have any case, one channel may be written or not."""
    media = audio(
        "rtpmap:96 OPUS/48000/2",
        "fmtp:96 stereo=1",
        "rtpmap:97 l16/16000/1",
        "rtpmap:98 L16/16000/2",
        "rtpmap:99 L16/44100",
        "rtpmap:100 pcmu/8000",
        "rtpmap:101 Telephone-Event/8000",
        "rtpmap:102 speex/8000",
        numbers="0 8 9 13 18 10 11 96 97 98 99 100 101 102 103 128 0x0",
    )
    assert {n: (one.name, one.rate) for n, one in formats(media).items()} == {
        0: ("PCMU", 8000),
        8: ("PCMA", 8000),
        9: ("G722", 8000),
        13: ("CN", 8000),
        96: ("opus", 48000),
        97: ("L16", 16000),
        100: ("PCMU", 8000),
        101: ("telephone-event", 8000),
    }
    assert formats(media)[96].fmtp == "stereo=1"
    assert all(number == one.payload_type for number, one in formats(media).items())


def test_static_type_mapped() -> None:
    """A static number that is mapped to something else is that."""
    assert formats(audio("rtpmap:0 G729/8000")) == {}
    assert formats(audio("rtpmap:0 PCMA/8000"))[0].name == "PCMA"


@pytest.mark.parametrize(
    ("fmtp", "taken"),
    [
        ("", "0-15"),
        ("0-15", "0-15"),
        ("0-16", "0-16"),
        ("0-11,16", "0-16"),
        ("0-15, 66-70", "0-15"),
        ("0-255", "0-16"),
        ("events=0-16", "0-15"),
        ("," * 200, "0-15"),
    ],
)
def test_events(fmtp: str, taken: str) -> None:
    """A flash is answered where it is offered."""
    assert events_taken(fmtp) == taken


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ((), 20),
        (("ptime:30",), 30),
        (("ptime:60", "maxptime:40"), 20),
        (("maxptime:10",), 10),
        (("ptime:10", "maxptime:150"), 10),
        (("ptime:25",), 20),
        (("ptime:20.0",), 20),
        (("ptime:40", "maxptime:0"), 40),
        (("ptime:99999999999999999999",), 20),
    ],
)
def test_packet_time(attributes: tuple[str, ...], expected: int) -> None:
    """What they like, where we can and their maxptime lets us."""
    assert packet_time(audio(*attributes)) == expected


@pytest.mark.parametrize(
    ("line", "usable"),
    [
        (f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}", True),
        (f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31", True),
        (f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1048576", True),
        (f"1 aes_cm_128_hmac_sha1_32 INLINE:{KEY} WSH=64", True),
        ("7 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw", True),
        (f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31|1:1", False),
        (f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4", False),
        (f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY};inline:{KEY}", False),
        (f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP", False),
        (f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=1", False),
        (f"1 F8_128_HMAC_SHA1_80 inline:{KEY}", False),
        (f"1 AEAD_AES_128_GCM inline:{KEY}", False),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQ", False),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:A", False),
        (f"x AES_CM_128_HMAC_SHA1_80 inline:{KEY}", False),
        ("1 AES_CM_128_HMAC_SHA1_80", False),
    ],
)
def test_crypto(line: str, usable: bool) -> None:
    """A line is used whole or not at all."""
    assert bool(list(lines(audio(f"crypto:{line}", transport="RTP/SAVP")))) is usable


def test_crypto_written() -> None:
    """What is written reads as the same key, and the key is in no repr."""
    one = Crypto("5", "AES_CM_128_HMAC_SHA1_80", bytes(range(30)))
    media = audio(f"crypto:{one.value}")
    assert list(lines(media)) == [one]
    assert KEY in one.value
    assert KEY not in repr(media) + repr(one)
    assert "x02" not in repr(one)


ALPHABET = st.sampled_from([*b"vomcats=:/ \r\n0189.INP4", 0, 0x85, 0xFF])


@given(st.one_of(st.binary(max_size=300), st.lists(ALPHABET, max_size=200).map(bytes)))
def test_garbage(data: bytes) -> None:
    """Whatever comes is a description or RemoteProtocolError."""
    for text in (data, b"v=0\r\n" + data, b"v=0\nm=audio 4000 RTP/AVP 0\n" + data):
        try:
            told = parse(text)
        except RemoteProtocolError:
            continue
        assert len(parse(told.encode()).media) == len(told.media)


@pytest.mark.parametrize(
    "line",
    [
        "m=audio 1 RTP/AVP " + "0 " * 30_000,
        "c=IN IP4 " + "[" * 60_000,
        "a=fmtp:1" + " " * 60_000,
        "m=" + " " * 60_000,
        "o=" + "1 " * 30_000,
        "a=crypto:1" + " a" * 30_000,
    ],
)
def test_long_lines(line: str) -> None:
    """A line as long as can be costs no more than its length."""
    try:
        media = parse(f"v=0\nm=audio 4000 RTP/SAVP 0\n{line}\n".encode()).media[0]
    except RemoteProtocolError:
        return
    formats(media)
    list(lines(media))
