from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.buffer import Playing
from rapida_tw.sim.carrier import Desk, Dialect, Media
from rapida_tw.sim.faults import NO_FAULTS, Faults
from rapida_tw.sim.memory import Network
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import Ending, Reason
from rapida_tw.sim.websocket import BINARY, PING, PONG, TEXT, frame
from rapida_tw.sim.websocket_line import CLOSED_WITHIN, HANDSHAKE_WITHIN, WebSocketLine
from tests.sim.peers import RecordingPhone, run
from tests.sim.websocket_server import MediaServer, MediaServers, upgrade

SOUND = b"\1\2" * 160


class Plain:
    """Sound is binary both ways; what it says otherwise is one word."""

    rate = 8_000
    playing = Playing()
    fragmented = True
    longest = 1_000

    def opened(self, desk: Desk) -> None:
        desk.say("opened")

    def audio(self, desk: Desk, payload: bytes) -> None:
        desk.say(payload, media=True)

    def digit(self, desk: Desk, digit: str) -> None:
        desk.say(digit)

    def text(self, desk: Desk, message: str) -> None:
        if message.startswith("mark "):
            desk.buffer.mark(message[5:])
        elif message == "goodbye":
            desk.end(Ending(Reason.SERVER_HUNG_UP))
        elif message == "crash":
            desk.cut(Ending(Reason.BAD_MESSAGE, "crash"))
        else:
            desk.complain(f"the word {message!r}")

    def binary(self, desk: Desk, message: bytes) -> None:
        desk.buffer.write(message)

    def reached(self, desk: Desk, name: str) -> None:
        desk.say(f"reached {name}")

    def hung_up(self, desk: Desk) -> None:
        desk.say("hung up")


_conforms: type[Dialect] = Plain


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.phone = RecordingPhone()

    def connect(
        self,
        faults: Faults = NO_FAULTS,
        *,
        strict: bool = False,
        answer: bytes | None = None,
    ) -> tuple[WebSocketLine, MediaServer]:
        servers = MediaServers(answer)
        media = Media("wss://x.test:81/ctx/1?a=b", Plain(), [("X-Signature", "abc")], ["media"])
        line = WebSocketLine(self.phone, media, Metronome(self.clock), faults, strict=strict)
        Network(self.clock).connect(servers, line)
        self.settle()
        return line, servers.made[0]

    def settle(self) -> None:
        """Let everything arrive that is under way."""
        for _ in range(6):
            self.clock.advance(0)

    def assertEnded(self, reason: Reason, detail: str = "") -> None:
        """The phone was told once, and nothing of the line is left."""
        self.settle()
        ((ending, _),) = self.phone.endings
        self.assertEqual((ending.reason, ending.detail), (reason, detail))
        self.assertEqual(self.clock.getDelayedCalls(), [])


class OpeningTests(Case):
    def test_request(self) -> None:
        """It asks for the URL's host and path, with the carrier's headers and subprotocols."""
        _, server = self.connect()
        request = server.request.decode().split("\r\n")
        self.assertEqual(request[:2], ["GET /ctx/1?a=b HTTP/1.1", "Host: x.test:81"])
        self.assertIn("X-Signature: abc", request)
        self.assertIn("Sec-WebSocket-Protocol: media", request)

    def test_up(self) -> None:
        """The line is up with the upgrade, and the carrier speaks first."""
        line, server = self.connect()
        self.assertIs(self.phone.line, line)
        self.assertEqual((line.rate, line.interval), (8_000, 0.02))
        self.assertIsNone(self.successResultOf(line.up))
        self.assertEqual(server.messages, ["opened"])

    def test_two_keys(self) -> None:
        """Each connection has its own."""
        keys = {server.request for _, server in (self.connect(), self.connect())}
        self.assertEqual(len(keys), 2)

    def test_frames_with_the_answer(self) -> None:
        """What comes in one read with the answer is not lost."""
        line, server = self.connect(answer=b"")
        server.transport.write(upgrade(server.request) + frame(TEXT, b"eh", masked=False))
        self.settle()
        self.assertEqual(line.complaints, {"the word 'eh'": 1})

    def test_refused(self) -> None:
        """A refusal ends a line that never was, with the server's reason."""
        head = "HTTP/1.1 404 Not Found\r\nX-Rapida-Error: context-not-found\r\n\r\n"
        line, _ = self.connect(answer=head.encode())
        ending = Ending(Reason.REFUSED, "HTTP 404: context-not-found")
        self.assertEqual(self.successResultOf(line.up), ending)
        self.assertIsNone(self.phone.line)
        assert line.refusal is not None
        self.assertEqual(line.refusal.status, 404)
        self.assertEnded(Reason.REFUSED, "HTTP 404: context-not-found")

    def test_wrong_upgrade(self) -> None:
        """Nor is one that is no upgrade."""
        self.connect(answer=b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n")
        self.assertEnded(Reason.REFUSED, "no Connection: Upgrade")

    def test_no_answer(self) -> None:
        """A server that does not answer is given up after 10 s."""
        self.connect(answer=b"")
        run(self.clock, HANDSHAKE_WITHIN)
        self.assertEqual(self.phone.endings, [])
        run(self.clock, 0.1)
        self.assertEnded(Reason.NO_ANSWER, "no upgrade within 10 s")

    def test_closed_instead(self) -> None:
        """One that just closes is told as that."""
        line, server = self.connect(answer=b"")
        server.transport.loseConnection()
        self.assertEnded(Reason.SERVER_CLOSED)
        self.assertEqual(self.successResultOf(line.up), Ending(Reason.SERVER_CLOSED))

    def test_hung_up_before(self) -> None:
        """A caller who does not wait just goes."""
        line, server = self.connect(answer=b"")
        line.hang_up()
        self.assertEnded(Reason.CALLER_HUNG_UP)
        self.assertIsNone(server.closed_with)


class TalkingTests(Case):
    def test_beat(self) -> None:
        """The phone is asked for a packet every 20 ms, from the upgrade on."""
        line, _ = self.connect()
        run(self.clock, 1.0)
        self.assertEqual(len(self.phone.beats), 50)
        line.hang_up()

    def test_audio_and_digits(self) -> None:
        """The dialect puts them into messages."""
        line, server = self.connect()
        line.send_audio(SOUND)
        line.press("#")
        self.settle()
        self.assertEqual(server.messages, ["opened", SOUND, "#"])

    def test_heard(self) -> None:
        """The caller hears what the buffer plays: in real time, whatever came at once."""
        _, server = self.connect()
        server.say(3 * SOUND)
        run(self.clock, 1.0)
        self.assertEqual([heard[:2] for heard in self.phone.heard], 3 * [(SOUND, 8_000)])
        times = [round(now, 2) for _, _, now in self.phone.heard]
        self.assertEqual(times, [0.02, 0.04, 0.06])

    def test_mark(self) -> None:
        """Marks come back when their time has come."""
        _, server = self.connect()
        server.say(2 * SOUND)
        server.say("mark m")
        run(self.clock, 0.05)
        self.assertEqual(server.messages, ["opened"])
        run(self.clock, 0.03)
        self.assertEqual(server.messages, ["opened", "reached m"])

    def test_ping(self) -> None:
        """It is answered with what it brought."""
        line, server = self.connect()
        server.send(PING, b"?")
        self.settle()
        self.assertEqual((server.others, line.pings), ([(PONG, b"?")], 1))

    def test_complaint(self) -> None:
        """What the carrier does not understand is counted, and the call goes on."""
        line, server = self.connect()
        server.say("eh")
        server.say("eh")
        self.settle()
        self.assertEqual(line.complaints, {"the word 'eh'": 2})
        self.assertEqual(self.phone.endings, [])

    def test_strict(self) -> None:
        """On a strict line it ends the call."""
        _, server = self.connect(strict=True)
        server.say("eh")
        self.assertEnded(Reason.BAD_MESSAGE, "the word 'eh'")
        self.assertEqual(server.closed_with, (1003, ""))


class EndingTests(Case):
    def test_caller_hangs_up(self) -> None:
        """The carrier has the last word, then closes with 1000 and waits for the answer."""
        line, server = self.connect()
        line.hang_up()
        line.hang_up()
        self.assertEnded(Reason.CALLER_HUNG_UP)
        self.assertEqual(server.messages[-1], "hung up")
        self.assertEqual(server.closed_with, (1000, ""))
        self.assertEqual(self.successResultOf(line.closed).reason, Reason.CALLER_HUNG_UP)

    def test_no_close_in_answer(self) -> None:
        """A server that does not close is cut off after 2 s."""
        line, server = self.connect()
        server.transport.pauseProducing()
        line.hang_up()
        run(self.clock, CLOSED_WITHIN - 0.1)
        self.assertNoResult(line.closed)
        run(self.clock, 0.2)
        self.assertEnded(Reason.CALLER_HUNG_UP)

    def test_server_hangs_up(self) -> None:
        """1000 and 1001 are hang-ups; the close is answered with the same code."""
        for code in (1000, 1001):
            self.phone = RecordingPhone()
            _, server = self.connect()
            server.close(code, "bye")
            self.assertEnded(Reason.SERVER_HUNG_UP)
            self.assertEqual(server.closed_with, (code, ""))

    def test_server_fails(self) -> None:
        """Other codes are told."""
        _, server = self.connect()
        server.close(1011, "internal error")
        self.assertEnded(Reason.SERVER_FAILED, "1011 internal error")

    def test_server_closes(self) -> None:
        """So is a connection that is closed without a word."""
        _, server = self.connect()
        server.transport.loseConnection()
        self.assertEnded(Reason.SERVER_CLOSED)

    def test_server_aborts(self) -> None:
        """Or reset."""
        _, server = self.connect()
        server.transport.abortConnection()
        self.settle()
        self.assertEqual(self.phone.endings[0][0].reason, Reason.CONNECTION_LOST)

    def test_in_the_carriers_form(self) -> None:
        """A carrier may have a message for it."""
        _, server = self.connect()
        server.say("goodbye")
        self.assertEnded(Reason.SERVER_HUNG_UP)
        self.assertEqual(server.closed_with, (1000, ""))

    def test_bad_frame(self) -> None:
        """Who breaks RFC 6455 loses the connection, and is told by the code."""
        for wrong, code in ((frame(BINARY, b"a"), 1002), (b"\x82\x7e\x40\0", 1009)):
            self.phone = RecordingPhone()
            _, server = self.connect()
            server.transport.write(wrong)
            self.settle()
            self.assertEqual(self.phone.endings[0][0].reason, Reason.BAD_FRAME)
            assert server.closed_with is not None
            self.assertEqual(server.closed_with[0], code)

    def test_nothing_after_the_end(self) -> None:
        """Neither side of a line that is down hears anything."""
        line, server = self.connect()
        line.hang_up()
        line.send_audio(SOUND)
        line.press("1")
        line.send_text("late")
        server.say(SOUND)
        server.say("eh")
        run(self.clock, 0.1)
        self.assertEqual(server.messages, ["opened", "hung up"])
        self.assertEqual((self.phone.heard, line.complaints), ([], {}))


class MisbehaviourTests(Case):
    def test_faults(self) -> None:
        """Faults of the way concern what the dialect calls media."""
        line, server = self.connect(Faults(lose_every=2))
        for number in range(4):
            line.send_audio(bytes((number,)))
        self.settle()
        self.assertEqual(server.messages, ["opened", b"\0", b"\2"])

    def test_late(self) -> None:
        """What is late leaves with the line's beats; at the end nothing stays behind."""
        line, server = self.connect(Faults(delay=0.1))
        self.assertEqual(server.messages, [])
        run(self.clock, 0.12)
        self.assertEqual(server.messages, ["opened"])
        line.hang_up()
        self.assertEnded(Reason.CALLER_HUNG_UP)
        self.assertEqual(server.messages, ["opened", "hung up"])

    def test_stall(self) -> None:
        """What a stall keeps back comes in one burst."""
        line, server = self.connect()
        line.stall()
        line.send_audio(SOUND)
        line.press("1")
        run(self.clock, 0.1)
        self.assertEqual(server.messages, ["opened"])
        line.unstall()
        self.settle()
        self.assertEqual(server.messages, ["opened", SOUND, "1"])

    def test_stops_reading(self) -> None:
        """A peer that does not read hears all of it later."""
        line, server = self.connect()
        line.stop_reading()
        server.say(SOUND)
        run(self.clock, 1.0)
        self.assertEqual(self.phone.heard, [])
        line.read_on()
        run(self.clock, 0.1)
        self.assertEqual(len(self.phone.heard), 1)

    def test_raw(self) -> None:
        """On request anything is sent."""
        line, server = self.connect()
        line.send_raw(frame(PONG, b"unasked"))
        line.send_text("{")
        self.settle()
        self.assertEqual((server.others, server.messages[-1]), ([(PONG, b"unasked")], "{"))

    def test_goes_dead(self) -> None:
        """A dead peer neither sends nor reads nor closes."""
        line, server = self.connect()
        line.go_dead()
        line.send_audio(SOUND)
        server.say(SOUND)
        server.close(1000)
        run(self.clock, 5.0)
        self.assertEqual((server.messages, self.phone.endings), (["opened"], []))
        self.assertEqual(self.phone.heard, [])
        server.transport.abortConnection()
        self.settle()
        self.assertEqual(self.phone.endings[0][0].reason, Reason.CONNECTION_LOST)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def ends(self, how: Callable[[WebSocketLine], None], reason: Reason, clean: bool) -> None:
        self.phone = RecordingPhone()
        line, server = self.connect()
        how(line)
        self.assertEnded(reason)
        self.assertIsNone(server.closed_with)
        assert server.lost is not None
        self.assertEqual("cleanly" in server.lost.getErrorMessage(), clean)

    def test_cut(self) -> None:
        """A line may go without a close frame: by FIN or by RST."""
        self.ends(WebSocketLine.drop, Reason.CUT, clean=True)
        self.ends(WebSocketLine.reset, Reason.RESET, clean=False)

    def test_carrier_cuts(self) -> None:
        """Some carriers do that when they do not like a message."""
        _, server = self.connect()
        server.say("crash")
        self.assertEnded(Reason.BAD_MESSAGE, "crash")
        self.assertIsNone(server.closed_with)
