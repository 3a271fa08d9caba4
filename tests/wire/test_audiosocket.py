"""AudioSocket framing: bytes in, packets out, and nothing else."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.wire import audiosocket as wire
from rapida_tw.wire.audiosocket import Decoder, Packet

CONTEXT = UUID("66bc093d-34ab-4436-8e47-83e4fa85f361")

# What Asterisk 22 sends (protocol notes, "Frame format").
STREAM = (
    bytes.fromhex("010010") + CONTEXT.bytes
    + bytes.fromhex("100140") + bytes(range(160)) * 2
    + bytes.fromhex("030001") + b"#"
    + bytes.fromhex("120280") + bytes(640)
    + bytes.fromhex("020000")
    + bytes.fromhex("000000")
)  # fmt: skip
PACKETS = [
    Packet(wire.ID, CONTEXT.bytes),
    Packet(wire.AUDIO, bytes(range(160)) * 2),
    Packet(wire.DIGIT, b"#"),
    Packet(0x12, bytes(640)),
    Packet(wire.SILENCE, b""),
    Packet(wire.HANGUP, b""),
]


class DecoderTests(SynchronousTestCase):
    """What the decoder makes of a stream."""

    def test_whole(self) -> None:
        """Every kind that Asterisk sends is understood."""
        self.assertEqual(Decoder().feed(STREAM), PACKETS)

    def test_any_split(self) -> None:
        """Where the network cuts the stream makes no difference."""
        for cut in range(len(STREAM)):
            decoder = Decoder()
            packets = decoder.feed(STREAM[:cut]) + decoder.feed(STREAM[cut:])
            self.assertEqual(packets, PACKETS, f"cut at {cut}")

    def test_byte_by_byte(self) -> None:
        """One byte at a time gives the same packets."""
        decoder = Decoder()
        packets = [packet for byte in STREAM for packet in decoder.feed(bytes((byte,)))]
        self.assertEqual(packets, PACKETS)

    def test_every_rate(self) -> None:
        """Kinds 0x10 to 0x18 are audio of 8 to 192 kHz, 20 ms each."""
        for kind, rate in wire.RATES.items():
            payload = bytes(rate // 50 * 2)
            header = wire.audio_header(kind, len(payload))
            self.assertEqual(Decoder().feed(header + payload), [Packet(kind, payload)])

    def test_uuid_text(self) -> None:
        """The UUID reads as lower case text with dashes, in network byte order."""
        self.assertEqual(PACKETS[0].uuid, str(CONTEXT))

    def test_malformed(self) -> None:
        """Each of these ends the connection as soon as its header (or digit) is there."""
        for name, data in {
            "unknown kind": "040000",
            "http": "474554",
            "tls": "160301",
            "short uuid": "01000f",
            "long uuid": "010011",
            "no digit": "030000",
            "two digits": "030002",
            "not a digit": "03000178",
            "audio without samples": "100000",
            "half a sample": "10013f",
            "a minute of audio": "10ffff",
            "error with an essay": "ffffff",
        }.items():
            with self.subTest(name):
                self.assertRaises(RemoteProtocolError, Decoder().feed, bytes.fromhex(data))

    @given(st.lists(st.binary(max_size=400), max_size=8))
    def test_garbage(self, chunks: list[bytes]) -> None:
        """Whatever comes, the decoder answers packets or RemoteProtocolError, and stays small."""
        decoder = Decoder()
        try:
            for chunk in chunks:
                for packet in decoder.feed(chunk):
                    self.assertIsInstance(packet, Packet)
        except RemoteProtocolError:
            return
        self.assertLessEqual(len(decoder._tail), 65_538)

    @given(st.data())
    def test_round_trip(self, data: st.DataObject) -> None:
        """What is written as audio is read as the same audio, however it is cut."""
        kinds = st.sampled_from(sorted(wire.RATES))
        wanted = []
        stream = b""
        for kind in data.draw(st.lists(kinds, min_size=1, max_size=5)):
            payload = data.draw(st.binary(min_size=1, max_size=300)) * 2
            stream += wire.audio_header(kind, len(payload)) + payload
            wanted.append(Packet(kind, payload))
        cut = data.draw(st.integers(0, len(stream)))
        decoder = Decoder()
        self.assertEqual(decoder.feed(stream[:cut]) + decoder.feed(stream[cut:]), wanted)


class HeaderTests(SynchronousTestCase):
    """What we refuse to write, because Asterisk would end the call or play noise."""

    def test_twenty_milliseconds(self) -> None:
        """The three bytes before 20 ms of 8 kHz audio, as in the protocol notes."""
        self.assertEqual(wire.audio_header(wire.AUDIO, 320), bytes.fromhex("100140"))

    def test_impossible(self) -> None:
        """Empty, odd, too long, and kinds that are no audio."""
        for kind, length in ((0x10, 0), (0x10, 319), (0x10, 65_536), (0x02, 320), (0x19, 320)):
            self.assertRaises(LocalProtocolError, wire.audio_header, kind, length)
