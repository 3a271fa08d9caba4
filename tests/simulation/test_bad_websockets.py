"""Stories of bad input in a call over a WebSocket: its neighbour's call is unharmed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from rapida_tw.sim.caller import Caller
from rapida_tw.sim.websocket import BINARY, CONTINUATION, PING, TEXT, close, fragments, frame
from rapida_tw.sim.websocket_line import WebSocketLine
from rapida_tw.transports.media_socket import MALFORMED
from tests.simulation.sockets import GREETING, BadSockets

JSON_CARRIERS = ("twilio", "exotel", "plivo", "telnyx")
EVERYBODY = (*JSON_CARRIERS, "vonage", "asterisk")

# What no carrier says, whoever it is.
NONSENSE = ("{", "[]", "7", "[" * 10_000, "", "GET / HTTP/1.1\r\n\r\n", '{"event":{}}')


def media(payload: object, **more: Any) -> dict[str, Any]:
    return {"event": "media", "media": {"payload": payload, "track": "inbound"}, **more}


# What carriers with JSON media do not say within a stream.
WRONG = (
    media("no base64!"),
    media("AAA"),
    media(7),
    media(None),
    {"event": "media"},
    {"event": "dtmf"},
    {"event": "dtmf", "dtmf": {"digit": "x"}},
    {"event": "dtmf", "dtmf": {"digit": "12"}},
    {"event": "start"},
    {"event": "start", "start": {}},
)
STREAM = ("streamSid", "stream_sid", "streamId", "stream_id")


def in_stream(line: WebSocketLine, fields: dict[str, Any]) -> str:
    """A message of that line's stream, however its carrier writes that."""
    dialect: Any = line.dialect
    stream = getattr(dialect, "stream_sid", None) or getattr(dialect, "stream_id", "")
    return json.dumps({**dict.fromkeys(STREAM, stream), **fields})


class MessagesTests(BadSockets):
    """Messages that make no sense."""

    def talking(self, carrier: str) -> tuple[Caller, WebSocketLine]:
        caller, line = self.caller(carrier, self.now + 0.05)
        self.wait(0.5)
        return caller, line

    def goes_on(self, carrier: str, caller: Caller) -> None:
        """The call is as if nothing had been said."""
        caller.hangs_up(at=3.0)
        self.wait(3.5)
        self.assertEqual(str(caller.ending), "caller_hung_up", carrier)
        self.ended("remote_hangup")
        (sound,) = caller.heard
        self.assertLess(abs(sound.lasting - len(GREETING) * 0.06), 0.03)

    def breaks(self, carrier: str, caller: Caller, ending: str) -> None:
        """The call has ended, as failed, by the server's doing."""
        self.wait(0.1)
        self.assertEqual(str(caller.ending), ending, carrier)
        self.wait(0.5)  # it is written behind
        self.ended("protocol_error")
        self.assertEqual(self.conversation().status, "failed")

    def test_nonsense(self) -> None:
        """Text that is no message is passed over."""
        for carrier in (*JSON_CARRIERS, "vonage"):
            caller, line = self.talking(carrier)
            for text in NONSENSE:
                line.say(text)
            self.goes_on(carrier, caller)
        self.run_to_the_end(20.0)

    def test_plain_nonsense(self) -> None:
        """To Asterisk too, whose text need be no JSON."""
        caller, line = self.talking("asterisk")
        for text in (*NONSENSE, "DTMF_END", "DTMF_END digit:x", "MEDIA_START", "ERROR", " "):
            line.say(text)
        self.goes_on("asterisk", caller)
        self.run_to_the_end()

    def test_wrong_fields(self) -> None:
        """Messages without what belongs there, or with something else; a second start, too."""
        for carrier in JSON_CARRIERS:
            caller, line = self.talking(carrier)
            for fields in WRONG:
                line.say(in_stream(line, fields))
            self.goes_on(carrier, caller)
        self.run_to_the_end(20.0)

    def test_wrong_stream(self) -> None:
        """What is of another stream is not heard: its sound, its keys, and its end."""
        for carrier in JSON_CARRIERS:
            caller, line = self.talking(carrier)
            another = dict.fromkeys(STREAM, "another")
            for _ in range(5):
                line.say(json.dumps({**another, **media("AH+A/w==" * 40)}))
                line.say(json.dumps({**another, "event": "dtmf", "dtmf": {"digit": "1"}}))
                line.say(json.dumps({**another, "event": "stop", "stop": {}}))
            self.goes_on(carrier, caller)
            entries = self.server.entries(self.conversation_id)
            self.assertEqual([entry.name for entry in entries if entry.name == "dtmf"], [])
        self.run_to_the_end(20.0)

    def test_unknown_events(self) -> None:
        """Events that are yet to be invented are no mistakes: a thousand of them do no harm."""
        for carrier in (*JSON_CARRIERS, "vonage", "asterisk"):
            caller, line = self.talking(carrier)
            for number in range(1_000):
                line.say(in_stream(line, {"event": f"new-{number}", "data": [1, {"a": None}]}))
            self.goes_on(carrier, caller)
        self.run_to_the_end(25.0)

    def test_binary(self) -> None:
        """Binary messages where text is due."""
        for carrier in JSON_CARRIERS:
            caller, line = self.talking(carrier)
            for size in (0, 1, 160, 10_000):
                line.say(bytes(size))
            self.goes_on(carrier, caller)
        self.run_to_the_end(20.0)

    def test_odd_audio(self) -> None:
        """Half samples of linear audio, and audio that is very short or long."""
        for carrier in ("vonage", "asterisk"):
            caller, line = self.talking(carrier)
            for size in (0, 1, 3, 639, 641):
                line.say(b"\xff" * size)  # next to nothing to hear, in each encoding
            self.goes_on(carrier, caller)
        self.run_to_the_end()

    def test_too_much(self) -> None:
        """What makes no sense is borne twenty times, and then no longer."""
        for carrier in (*JSON_CARRIERS, "vonage"):
            caller, line = self.talking(carrier)
            for _ in range(MALFORMED + 1):
                line.say("{")
            self.breaks(carrier, caller, "server_failed (1008 protocol_error)")
        self.run_to_the_end()

    def test_no_utf8(self) -> None:
        """Text that is no UTF-8 ends the call, whoever's it is (RFC 6455, section 8.1)."""
        for carrier in EVERYBODY:
            caller, line = self.talking(carrier)
            line.send_raw(frame(TEXT, b'{"event":"\xff"}'))
            self.wait(0.1)
            self.assertTrue(str(caller.ending).startswith("server_failed (1007"), caller.ending)
            self.wait(0.5)
            self.ended("protocol_error")
        self.run_to_the_end()

    def test_flood(self) -> None:
        """Who sends a hundred times faster than real time is hung up."""
        for carrier in EVERYBODY:
            caller, line = self.talking(carrier)
            packet = bytes(line.rate // 50 * 2)
            for _ in range(30):
                for _ in range(100):
                    line.send_audio(packet)
                self.wait(0.02)
            self.breaks(carrier, caller, "server_failed (1008 protocol_error)")
        self.run_to_the_end()


class FramesTests(BadSockets):
    """What is against RFC 6455, or near it."""

    def closed(self, data: bytes, code: int) -> None:
        caller, line = self.caller("twilio", self.now + 0.05)
        self.wait(0.3)
        line.send_raw(data)
        self.wait(0.1)
        self.assertTrue(str(caller.ending).startswith(f"server_failed ({code}"), caller.ending)
        self.wait(0.5)
        self.assertEqual(self.conversation().status, "failed")

    def test_violations(self) -> None:
        """A frame without a mask, with reserved bits, of an unknown kind, out of order: 1002."""
        for data in (
            frame(TEXT, b"{}", masked=False),
            frame(TEXT, b"{}", rsv=4),
            frame(3, b"{}"),
            frame(CONTINUATION, b"{}"),
            frame(PING, bytes(126)),
            frame(PING, b"x", fin=False),
            frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"),
        ):
            self.closed(data, 1002)
        self.run_to_the_end()

    def test_too_large(self) -> None:
        """A message of a megabyte is refused as soon as its length is known: 1009."""
        for data in (
            frame(TEXT, b"", length=1 << 20),
            frame(BINARY, b"", length=1 << 62),
            b"".join(fragments(TEXT, bytes(1 << 20), 60_000)),
        ):
            self.closed(data, 1009)
        self.run_to_the_end()

    def test_fragments(self) -> None:
        """Fragments are put together, with a ping in between."""
        caller, line = self.caller("twilio", 0.1)
        caller.hangs_up(at=3.0)
        self.wait(0.5)
        dialect: Any = line.dialect
        pressed = in_stream(line, {"event": "dtmf", "dtmf": {"digit": "5"}}).encode()
        first, *rest = fragments(TEXT, pressed, 10)
        line.send_raw(b"".join((first, frame(PING, b"?"), *rest)))
        self.run_to_the_end()
        entries = self.server.entries(self.conversation_id)
        self.assertEqual(
            [entry.data for entry in entries if entry.name == "dtmf"], [{"digit": "5"}]
        )
        self.assertEqual(str(caller.ending), "caller_hung_up")
        self.assertEqual(dialect.rate, 8_000)

    def test_unfinished(self) -> None:
        """A frame that never ends is no call: its line is silence, and ends with the connection."""
        _, line = self.caller("twilio", 0.1)
        self.wait(0.5)
        line.send_raw(frame(BINARY, b"{", length=100_000))
        self.wait(2.0)
        line.drop()
        self.run_to_the_end()
        self.ended("remote_hangup")


class EndsTests(BadSockets):
    """Carriers that go in other ways, and lines on which nothing moves."""

    def test_close_codes(self) -> None:
        """An ordinary close is the caller's hang-up; any other is the network's failure."""
        for code, reason in (
            (1000, "remote_hangup"),
            (1001, "remote_hangup"),
            (1005, "remote_hangup"),
            (1006, "remote_hangup"),
            (1011, "network_failed"),
            (3000, "network_failed"),
        ):
            _, line = self.caller("twilio", self.now + 0.05)
            self.wait(0.5)
            if code == 1006:
                line.drop()
            else:
                line.send_raw(close(code))
            self.wait(1.5)
            with self.subTest(code):
                self.ended(reason)
        self.run_to_the_end(20.0)

    def test_never_reads(self) -> None:
        """Who takes no audio has five seconds from when the buffers are full."""
        for carrier in EVERYBODY:
            caller, line = self.caller(carrier, 0.1)
            self.server.calls.say(self.conversation_id, self.server.project_id, "On and on. " * 200)
            line.stop_reading()
            self.strangers.append((caller, self.conversation_id))
        self.run_to_the_end(60.0)
        for caller, conversation_id in self.strangers:
            self.conversation_id = conversation_id
            self.ended("far_end_stalled")
            self.assertIsNotNone(caller.ending)

    def test_reads_again(self) -> None:
        """Who reads on in time has lost nothing of what was said."""
        for carrier in EVERYBODY:
            caller, line = self.caller(carrier, 0.1)
            caller.does(line.stop_reading, at=0.4)
            caller.does(line.read_on, at=3.4)
            caller.hangs_up(at=9.0)
            self.strangers.append((caller, self.conversation_id))
        self.run_to_the_end()
        for caller, conversation_id in self.strangers:
            self.conversation_id = conversation_id
            self.ended("remote_hangup")
            heard = caller.ear.samples(8_000)
            frames = heard[: len(heard) // 160 * 160].reshape(-1, 160).astype(int)
            loud = (np.abs(frames).max(axis=1) > 300).sum() * 0.02
            self.assertLess(abs(loud - len(GREETING) * 0.06), 0.05)

    def test_half_open(self) -> None:
        """Who neither sends nor closes is given up after half a minute."""
        for carrier in EVERYBODY:
            _, line = self.caller(carrier, 0.1)
            line.go_dead()
            self.strangers.append((Caller(), self.conversation_id))
        self.run_to_the_end(36.0)
        for _, conversation_id in self.strangers:
            self.conversation_id = conversation_id
            self.ended("media_timeout")

    def test_own_bug(self) -> None:
        """A part of one call that raises ends that call, on arrival and on the beat."""
        for part, name in (("_dialogue", "hear"), ("_playout", "take")):
            caller, _ = self.caller("twilio", self.now + 0.05)
            self.wait(0.3)
            call = self.server.calls._running[self.conversation_id]

            def bug(*_: object, **__: object) -> None:
                raise RuntimeError("a bug")

            setattr(getattr(call, part), name, bug)
            self.wait(1.5)
            self.ended("internal_error")
            self.assertIsNotNone(caller.ending)
            self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.run_to_the_end()
