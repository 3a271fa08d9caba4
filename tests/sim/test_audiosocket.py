from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim import audiosocket
from rapida_tw.sim.audiosocket import (
    APPLICATION,
    AUDIO,
    CONTEXT,
    DIGIT,
    HANGUP,
    KINDS,
    FakeAsterisk,
    Manner,
    Reader,
    packet,
)
from rapida_tw.sim.memory import Network
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import Ending, Reason
from tests.sim.peers import RecordingPhone, Server, Servers, run

CALL = UUID("66bc093d-34ab-4436-8e47-83e4fa85f361")
SILENCE = bytes(320)
STREAM = b"".join(
    (packet(AUDIO, b"\1\2" * 160), packet(0x12, b"\3\4" * 320), packet(AUDIO, b"\5\6"))
)
HEARD = [(b"\1\2" * 160, 8_000), (b"\3\4" * 320, 16_000), (b"\5\6", 8_000)]


class ReaderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.heard: list[tuple[bytes, int]] = []
        self.reader = Reader(lambda payload, rate: self.heard.append((payload, rate)))

    def test_any_split(self) -> None:
        """Where the network cuts the stream makes no difference."""
        for cut in range(len(STREAM)):
            self.heard.clear()
            self.assertIsNone(self.reader.feed(STREAM[:cut], 0.0))
            self.assertIsNone(self.reader.feed(STREAM[cut:], 0.0))
            self.assertEqual(self.heard, HEARD)

    def test_hang_up(self) -> None:
        """Hang-up ends the call by its kind alone: the length is not read."""
        for form in (b"\0\0\0", b"\0", b"\0\xff\xff"):
            self.assertEqual(self.reader.feed(form, 0.0), Ending(Reason.SERVER_HUNG_UP))

    def test_audio_before_the_end_is_heard(self) -> None:
        """What came before a hang-up in the same read is played first."""
        self.reader.feed(STREAM + packet(HANGUP), 0.0)
        self.assertEqual(self.heard, HEARD)

    def test_other_kinds_end_the_call(self) -> None:
        """Nothing but audio and hang-up may come from a server."""
        for kind in set(range(1, 256)) - set(KINDS.values()):
            ending = Reader(lambda *_: None).feed(packet(kind, b"12"), 0.0)
            self.assertEqual(ending, Ending(Reason.UNKNOWN_KIND, f"kind 0x{kind:02x}"))

    def test_empty_audio(self) -> None:
        """Audio without a payload ends the call."""
        self.assertEqual(self.reader.feed(packet(AUDIO), 0.0), Ending(Reason.EMPTY_AUDIO))

    def test_odd_audio(self) -> None:
        """Half a sample ends the call here; a real Asterisk would play noise from then on."""
        ending = self.reader.feed(packet(AUDIO, b"123"), 0.0)
        self.assertEqual(ending, Ending(Reason.ODD_AUDIO, "3 bytes"))

    def test_late_piece(self) -> None:
        """The rest of a payload that comes after more than 5 ms ends the call."""
        reader = Reader(lambda *_: None, limit=0.005)
        self.assertIsNone(reader.feed(STREAM[:100], 1.0))
        self.assertIsNone(reader.feed(STREAM[100:200], 1.004))
        self.assertIsNone(reader.overdue(1.008))
        ending = reader.feed(STREAM[200:], 1.016)
        self.assertEqual(ending, Ending(Reason.LATE_PAYLOAD, "12.0 ms"))

    def test_missing_piece(self) -> None:
        """So does a rest that never comes."""
        reader = Reader(lambda *_: None, limit=0.005)
        reader.feed(STREAM[:100], 1.0)
        self.assertEqual(reader.overdue(1.02), Ending(Reason.LATE_PAYLOAD, "20.0 ms"))

    def test_gap_inside_a_header(self) -> None:
        """A gap within the three bytes of a header is survived."""
        reader = Reader(lambda *_: None, limit=0.005)
        reader.feed(STREAM[:2], 1.0)
        self.assertIsNone(reader.overdue(3.0))
        self.assertIsNone(reader.feed(STREAM[2:], 3.0))

    @given(st.lists(st.binary(max_size=50), max_size=20))
    def test_anything(self, pieces: list[bytes]) -> None:
        """Whatever comes is either understood or ends the call; nothing raises."""
        reader = Reader(lambda *_: None)
        for piece in pieces:
            if reader.feed(piece, 0.0) is not None:
                break


class FakeAsteriskTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.metronome = Metronome(self.clock)
        self.network = Network(self.clock)

    def connect(
        self, manner: Manner = APPLICATION, interval: float = 0.02
    ) -> tuple[FakeAsterisk, RecordingPhone, Server]:
        phone, servers = RecordingPhone(), Servers()
        asterisk = FakeAsterisk(phone, CALL, Metronome(self.clock, interval), manner)
        self.network.connect(servers, asterisk)
        self.clock.advance(0)
        return asterisk, phone, servers.made[0]

    def ended(self, phone: RecordingPhone) -> Reason:
        """The one reason with which the line went down; nothing of it is left."""
        self.clock.advance(0)
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        ((ending, _),) = phone.endings
        return ending.reason

    def test_uuid_first(self) -> None:
        """The first packet is the UUID, 16 raw bytes in network order."""
        _, _, server = self.connect()
        self.assertEqual(server.received.hex(" "), f"01 00 10 {CALL.bytes.hex(' ')}")

    def test_audio(self) -> None:
        """A packet of the phone's leaves as kind 0x10 in one piece."""
        asterisk, _, server = self.connect()
        asterisk.send_audio(SILENCE)
        self.clock.advance(0)
        self.assertEqual(server.pieces[1], b"\x10\x01\x40" + SILENCE)

    def test_channel_driver(self) -> None:
        """The channel driver names the rate by the kind."""
        for rate, kind in KINDS.items():
            asterisk, _, server = self.connect(audiosocket.driver(rate))
            asterisk.send_audio(b"12")
            self.clock.advance(0)
            self.assertEqual(server.pieces[1], bytes((kind, 0, 2)) + b"12")
            asterisk.hang_up()

    def test_digit(self) -> None:
        """A pressed key is one ASCII byte."""
        asterisk, _, server = self.connect()
        asterisk.press("#")
        self.clock.advance(0)
        self.assertEqual(server.pieces[1], packet(DIGIT, b"#"))

    def test_caller_hangs_up(self) -> None:
        """The caller's hang-up is a mere close: kind 0 is never sent."""
        asterisk, phone, server = self.connect()
        asterisk.hang_up()
        self.assertEqual(self.ended(phone), Reason.CALLER_HUNG_UP)
        self.assertEqual(server.received, packet(CONTEXT, CALL.bytes))
        self.assertIsNotNone(server.lost)

    def test_server_hangs_up(self) -> None:
        """After the server's hang-up Asterisk closes at once."""
        _, phone, server = self.connect()
        server.transport.write(packet(HANGUP))
        self.clock.advance(0)
        self.assertEqual(self.ended(phone), Reason.SERVER_HUNG_UP)
        self.assertIsNotNone(server.lost)

    def test_server_closes(self) -> None:
        """A server may also just close."""
        _, phone, server = self.connect()
        server.transport.loseConnection()
        self.clock.advance(0)
        self.assertEqual(self.ended(phone), Reason.SERVER_CLOSED)

    def test_server_aborts(self) -> None:
        """A reset connection is another thing."""
        _, phone, server = self.connect()
        server.transport.abortConnection()
        self.clock.advance(0)
        self.assertEqual(self.ended(phone), Reason.CONNECTION_LOST)

    def test_violation(self) -> None:
        """A server that breaks the rules loses the connection."""
        _, phone, server = self.connect()
        server.transport.write(packet(0x02))
        self.clock.advance(0)
        self.assertEqual(self.ended(phone), Reason.UNKNOWN_KIND)
        self.assertIsNotNone(server.lost)

    def test_heard(self) -> None:
        """Audio is handed on with its rate and the time of its arrival."""
        _, phone, server = self.connect()
        run(self.clock, 0.5)
        server.transport.write(packet(0x12, b"ab"))
        self.clock.advance(0)
        ((payload, rate, now),) = phone.heard
        self.assertEqual((payload, rate), (b"ab", 16_000))
        self.assertAlmostEqual(now, 0.5)

    def test_beat(self) -> None:
        """The phone is asked for a packet every 10, 20 or 30 ms, as it packetises."""
        for interval in (0.01, 0.02, 0.03):
            asterisk, phone, _ = self.connect(interval=interval)
            run(self.clock, 1.2)
            self.assertEqual(len(phone.beats), round(1.2 / interval))
            asterisk.hang_up()

    def test_inactive(self) -> None:
        """The application ends a call when neither side sent anything for 2 s."""
        _, phone, _ = self.connect()
        run(self.clock, 2.1)
        self.assertEqual(self.ended(phone), Reason.INACTIVE)
        self.assertAlmostEqual(phone.endings[0][1], 2.0, places=1)

    def test_active_either_way(self) -> None:
        """Audio from the server alone keeps a silent caller's call up, and the reverse."""
        asterisk, phone, server = self.connect()
        for _ in range(3):
            run(self.clock, 1.5)
            server.transport.write(packet(AUDIO, b"ab"))
            run(self.clock, 1.5)
            asterisk.send_audio(b"ab")
        self.assertEqual(phone.endings, [])
        asterisk.hang_up()

    def test_channel_driver_has_no_limit(self) -> None:
        """The channel driver waits as long as it takes."""
        asterisk, phone, _ = self.connect(audiosocket.driver(8_000))
        run(self.clock, 10.0)
        self.assertEqual(phone.endings, [])
        asterisk.hang_up()

    def test_torn_payload(self) -> None:
        """Told to be as impatient as the real one, it drops a call with half a packet."""
        _, phone, server = self.connect(Manner(torn_payload_limit=0.005))
        server.transport.write(packet(AUDIO, SILENCE)[:100])
        run(self.clock, 0.05)
        self.assertEqual(self.ended(phone), Reason.LATE_PAYLOAD)

    def test_no_uuid(self) -> None:
        """On request the UUID is never sent."""
        asterisk, _, server = self.connect(Manner(opening=b""))
        self.assertEqual(server.received, b"")
        asterisk.hang_up()

    def test_raw(self) -> None:
        """On request any bytes are sent: here a UUID twice."""
        asterisk, _, server = self.connect()
        asterisk.send_raw(packet(CONTEXT, CALL.bytes))
        self.clock.advance(0)
        self.assertEqual(server.received, 2 * packet(CONTEXT, CALL.bytes))
        asterisk.hang_up()

    def test_cut(self) -> None:
        """On request every write is torn into pieces."""

        def bytewise(data: bytes) -> Iterable[bytes]:
            return (bytes((byte,)) for byte in data)

        asterisk, _, server = self.connect(Manner(cut=bytewise))
        self.assertEqual(len(server.pieces), 19)
        asterisk.hang_up()

    def test_stall(self) -> None:
        """What a stall keeps back comes in one burst."""
        asterisk, _, server = self.connect()
        asterisk.stall()
        for _ in range(5):
            asterisk.send_audio(SILENCE)
        run(self.clock, 0.1)
        self.assertEqual(len(server.pieces), 1)
        asterisk.unstall()
        self.clock.advance(0)
        self.assertEqual(server.pieces[1:], [5 * packet(AUDIO, SILENCE)])
        asterisk.hang_up()

    def test_stops_reading(self) -> None:
        """A peer that does not read hears all of it later."""
        asterisk, phone, server = self.connect()
        asterisk.stop_reading()
        server.transport.write(packet(AUDIO, b"ab"))
        run(self.clock, 1.0)
        self.assertEqual(phone.heard, [])
        asterisk.read_on()
        self.assertEqual(len(phone.heard), 1)
        asterisk.hang_up()

    def test_goes_dead(self) -> None:
        """A dead peer sends nothing, and does not even close when it is told to."""
        asterisk, phone, server = self.connect()
        asterisk.go_dead()
        asterisk.send_audio(SILENCE)
        server.transport.write(packet(HANGUP))
        run(self.clock, 5.0)
        self.assertEqual((len(server.pieces), phone.endings), (1, []))
        server.transport.abortConnection()
        self.clock.advance(0)
        self.assertEqual(self.ended(phone), Reason.CONNECTION_LOST)

    def test_reset(self) -> None:
        """A reset is no ordinary close to the server."""
        asterisk, phone, server = self.connect()
        asterisk.reset()
        self.assertEqual(self.ended(phone), Reason.RESET)
        assert server.lost is not None
        self.assertNotIn("cleanly", server.lost.getErrorMessage())
