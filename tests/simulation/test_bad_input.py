"""Stories of bad input: whatever one connection sends, its neighbour's call is unharmed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from twisted.internet.protocol import Protocol

from rapida_tw.sim.audiosocket import Manner, packet
from rapida_tw.sim.caller import Caller
from rapida_tw.simulation import VirtualServer
from tests.simulation.neighbour import AUDIO, GREETING, BadInput

# What no Asterisk sends, in the middle of a call.
GARBAGE = {
    "http": b"GET / HTTP/1.1\r\n\r\n",
    "tls": bytes.fromhex("16030100c8010000c40303"),
    "unknown kind": packet(0x19, bytes(320)),
    "half a sample": packet(0x10, bytes(319)),
    "no samples": packet(0x10),
    "a minute of audio": bytes.fromhex("10ffff"),
    "a digit that is none": packet(0x03, b"x"),
    "two digits": packet(0x03, b"12"),
    "a second UUID": packet(0x01, uuid4().bytes),
    "an error with an essay": bytes.fromhex("ffffff"),
}


class Idler(Protocol):
    """Connects and says nothing; notes when it was hung up and when cut off."""

    def __init__(self, server: VirtualServer) -> None:
        self._server = server
        self.received = b""
        self.hung_up_at = self.lost_at = 0.0

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self.hung_up_at = self._server.clock.seconds()

    def connectionLost(self, reason: object = None) -> None:
        self.lost_at = self._server.clock.seconds()


def torn_at(cut: int) -> Callable[[bytes], Iterable[bytes]]:
    """Tears every write in two, at that byte of it (and round again where it is shorter)."""
    return lambda data: (data[: cut % len(data)], data[cut % len(data) :])


class BeforeTheCallTests(BadInput):
    """Connections that never become a call."""

    def test_garbage(self) -> None:
        """Whatever is no UUID packet is refused at once, and counted."""
        for name, data in GARBAGE.items():
            if name != "a second UUID":
                self.server.clock.run(self.server.clock.seconds() + 0.05)
                caller = self.stranger(Manner(opening=data))
                self.server.clock.run(self.server.clock.seconds() + 0.05)
                self.assertEqual(str(caller.ending), "server_hung_up", name)
        self.assertEqual(self.refused(), {"protocol-error": len(GARBAGE) - 1})
        self.run_to_the_end()

    def test_audio_before_uuid(self) -> None:
        """Audio of no call is refused, though a UUID comes behind it, whose call still waits."""
        context = self.server.register()
        hello = packet(0x01, UUID(context.id).bytes)
        caller = self.stranger(Manner(opening=AUDIO + hello))
        self.server.clock.run(0.1)
        self.assertEqual(str(caller.ending), "server_hung_up")
        self.assertEqual(self.refused(), {"protocol-error": 1})
        late = Caller()
        late.hangs_up(at=3.0)
        self.server.connect(context.id, late, deque())
        self.run_to_the_end()
        self.assertEqual(str(late.ending), "caller_hung_up")

    def test_nil(self) -> None:
        """The nil UUID is nobody's."""
        caller = self.stranger(Manner(), UUID(int=0))
        self.server.clock.run(0.1)
        self.assertEqual(str(caller.ending), "server_hung_up")
        self.assertEqual(self.refused(), {"context-not-found": 1})
        self.run_to_the_end()

    def test_unknown(self) -> None:
        """A UUID that was never given out is hung up."""
        caller = self.stranger(Manner())
        self.server.clock.run(0.1)
        self.assertEqual(str(caller.ending), "server_hung_up")
        self.assertEqual(self.refused(), {"context-not-found": 1})
        self.run_to_the_end()

    def test_second(self) -> None:
        """A UUID serves once: who comes second is hung up, the first goes on."""
        first, _ = self.caller()
        first.hangs_up(at=5.0)
        self.server.clock.run(1.0)
        second = self.stranger(Manner(), UUID(self.context.id))
        self.server.clock.run(1.2)
        self.assertEqual(str(second.ending), "server_hung_up")
        self.assertIsNone(first.ending)
        self.assertEqual(self.refused(), {"context-not-found": 1})
        self.run_to_the_end()

    def test_late(self) -> None:
        """A UUID serves for 300 s; then its call has expired."""
        context = self.context = self.server.register()
        self.run_to_the_end_but_for_the_context()
        self.server.clock.run(300.5)
        caller = self.stranger(Manner(), UUID(context.id))
        self.server.clock.run(302.0)
        self.assertEqual(str(caller.ending), "server_hung_up")
        self.assertEqual(self.refused(), {"context-not-found": 1})
        self.assertEqual(self.conversation().status, "expired")
        self.run_to_the_end(303.0)

    def run_to_the_end_but_for_the_context(self) -> None:
        self.server.clock.run(14.0)
        self.assertEqual(str(self.neighbour.ending), "caller_hung_up")

    def test_just_in_time(self) -> None:
        """At 299 s it still serves."""
        caller, context = Caller(), self.server.register()
        caller.hangs_up(at=2.0)
        self.server.clock.run(299.0)
        self.server.connect(context.id, caller, deque())
        self.run_to_the_end(303.0)
        self.assertEqual(str(caller.ending), "caller_hung_up")

    def test_idlers(self) -> None:
        """A hundred connections without a UUID are hung up after 5 s, each; then cut off."""
        idlers = [Idler(self.server) for _ in range(100)]
        for idler in idlers:
            self.server.network.connect(self.server.factory, idler)
        began = self.server.clock.seconds()
        self.server.clock.run(began + 4.9)
        self.assertEqual({idler.received for idler in idlers}, {b""})
        self.run_to_the_end()
        for idler in idlers:
            self.assertEqual(idler.received, packet(0x00))
            self.assertAlmostEqual(idler.hung_up_at - began, 5.0)
            self.assertAlmostEqual(idler.lost_at - began, 6.0)
        self.assertEqual(self.refused(), {"no-uuid": 100})

    def test_crowd(self) -> None:
        """More than may wait are turned away; the next call gets through all the same."""
        for _ in range(600):
            self.server.network.connect(self.server.factory, Idler(self.server))
        self.server.clock.run(5.1)
        caller, _ = self.caller(5.2)
        caller.hangs_up(at=3.0)
        self.run_to_the_end()
        self.assertEqual(str(caller.ending), "caller_hung_up")
        self.assertEqual(self.refused(), {"no-uuid": 512, "too-many-connections": 88})


class InTheCallTests(BadInput):
    """A call that goes wrong."""

    def test_garbage(self) -> None:
        """What is against the rules ends this call, as failed, with its reason."""
        for name, data in GARBAGE.items():
            with self.subTest(name):
                caller, line = self.caller(self.server.clock.seconds() + 0.1)
                self.server.clock.run(self.server.clock.seconds() + 0.5)
                line.send_raw(data)
                self.server.clock.run(self.server.clock.seconds() + 0.1)
                self.assertEqual(str(caller.ending), "server_hung_up")
                self.server.clock.run(self.server.clock.seconds() + 0.5)  # it is written behind
                self.ended("protocol_error")
                self.assertEqual(self.conversation().status, "failed")
        self.assertEqual(self.refused(), {})
        self.run_to_the_end()

    def test_torn_at_every_split(self) -> None:
        """Packets torn at any byte are whole again: audio, digits and the UUID itself."""
        opening_and_audio = 19 + 323
        cuts = range(1, opening_and_audio, 17)
        lines = []
        for cut in cuts:
            caller, _ = self.caller(self.server.clock.seconds(), Manner(cut=torn_at(cut)))
            caller.presses("5", at=0.3)
            caller.hangs_up(at=3.0)
            lines.append((caller, self.context))
        self.run_to_the_end()
        for caller, context in lines:
            self.assertEqual(str(caller.ending), "caller_hung_up")
            entries = self.server.entries(context.conversation_id)
            self.assertEqual(
                [entry.data for entry in entries if entry.name == "dtmf"], [{"digit": "5"}]
            )
            self.assertEqual(len(caller.heard), 1)

    def test_byte_by_byte(self) -> None:
        """A network that delivers single bytes is slow, and nothing else."""
        caller, _ = self.caller(manner=Manner(cut=lambda data: [bytes((byte,)) for byte in data]))
        caller.hangs_up(at=3.0)
        self.run_to_the_end()
        self.assertEqual(len(caller.heard), 1)
        self.ended("remote_hangup")

    def test_torn_and_gone(self) -> None:
        """Half a packet and then the end: the caller has hung up."""
        _, line = self.caller()
        self.server.clock.run(1.0)
        line.send_raw(AUDIO[:100])
        line.hang_up()
        self.run_to_the_end()
        self.ended("remote_hangup")

    def test_hang_up_packet(self) -> None:
        """0x00 from the far side, which no Asterisk sends, is a hang-up."""
        caller, line = self.caller()
        self.server.clock.run(1.0)
        line.send_raw(packet(0x00))
        self.run_to_the_end()
        self.assertEqual(str(caller.ending), "server_hung_up")
        self.ended("remote_hangup")

    def test_error_packet(self) -> None:
        """0xff ends the call as failed."""
        _, line = self.caller()
        self.server.clock.run(1.0)
        line.send_raw(packet(0xFF, b"\x01"))
        self.run_to_the_end()
        self.ended("network_failed")

    def test_reset(self) -> None:
        """A connection that is torn down ends its call: Asterisk hangs up like that too."""
        _, line = self.caller()
        self.server.clock.run(1.0)
        line.reset()
        self.run_to_the_end()
        self.ended("remote_hangup")

    def test_never_reads(self) -> None:
        """Who takes no audio has five seconds from when the buffers are full."""
        caller, line = self.caller()
        self.server.clock.run(0.5)
        line.stop_reading()
        self.run_to_the_end(20.0)
        self.ended("far_end_stalled")
        self.assertIsNotNone(caller.ending)

    def test_reads_again(self) -> None:
        """Who reads on in time has lost nothing of what was said."""
        caller, line = self.caller()
        self.server.clock.run(0.5)
        line.stop_reading()
        self.server.clock.run(6.5)
        line.read_on()
        caller.hangs_up(at=10.0)
        self.run_to_the_end()
        self.ended("remote_hangup")
        heard = caller.ear.samples(8_000)
        loud = (
            np.abs(heard[: len(heard) // 160 * 160].reshape(-1, 160).astype(int)).max(axis=1) > 300
        )
        self.assertLess(abs(loud.sum() * 0.02 - len(GREETING) * 0.06), 0.05)

    def test_half_open(self) -> None:
        """Who neither sends nor closes is given up after half a minute, and the port is free."""
        _, line = self.caller()
        self.server.clock.run(1.0)
        line.go_dead()
        self.server.clock.run(30.5)
        self.assertEqual(len(self.server.calls), 1)
        self.run_to_the_end(34.0)
        self.ended("media_timeout")

    def test_half_open_from_the_start(self) -> None:
        """Likewise who sends the UUID and then nothing at all."""
        _, line = self.caller()
        line.go_dead()
        self.run_to_the_end(34.0)
        self.ended("media_timeout")

    def test_stalled_network(self) -> None:
        """Ten seconds late and all at once: the call goes on."""
        caller, line = self.caller()
        self.server.clock.run(1.0)
        line.stall()
        self.server.clock.run(11.0)
        line.unstall()
        caller.hangs_up(at=13.0)
        self.run_to_the_end(16.0)
        self.ended("remote_hangup")

    def test_flood(self) -> None:
        """Who sends a hundred times faster than real time is hung up."""
        caller, line = self.caller()
        self.server.clock.run(1.0)
        for _ in range(20):
            line.send_raw(AUDIO * 100)
            self.server.clock.run(self.server.clock.seconds() + 0.02)
        self.assertEqual(str(caller.ending), "server_hung_up")
        self.run_to_the_end()
        self.ended("protocol_error")


class OurOwnBugTests(BadInput):
    """A part of one call that fails in a way nobody thought of."""

    def broken(self, part: Any, name: str) -> None:
        def bug(*_: object, **__: object) -> None:
            raise RuntimeError("a bug")

        setattr(part, name, bug)

    def test_on_arrival(self) -> None:
        """A detector that raises while a frame is heard ends its own call."""
        self.caller()
        self.server.clock.run(1.0)
        call = self.server.calls._running[self.context.conversation_id]
        self.broken(call._dialogue, "hear")
        self.run_to_the_end()
        self.ended("internal_error")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_on_the_beat(self) -> None:
        """A recorder that raises while a frame is sent ends its own call."""
        self.caller()
        self.server.clock.run(1.0)
        call = self.server.calls._running[self.context.conversation_id]
        self.broken(call._playout, "take")
        self.run_to_the_end()
        self.ended("internal_error")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
