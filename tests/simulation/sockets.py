"""A server with one honest call over a WebSocket, and room for others that are not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

import txaio
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.buffer import Playing
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.carrier import Desk, FakeCarrier, Media
from rapida_tw.sim.farm import CARRIERS
from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.phone import CallFailed, Ending
from rapida_tw.sim.websocket_line import WebSocketLine
from rapida_tw.simulation import VirtualServer
from rapida_tw.simulation.web import VirtualWeb
from rapida_tw.store.records import Conversation
from rapida_tw.transports import door

GREETING = "Hello. How can I help you today?"
ANSWER = "We open at nine and close at ten."


class Mute:
    """A dialect that says nothing of its own accord and plays nothing."""

    rate = 8_000
    playing = Playing()
    fragmented = True
    longest = 2**20

    def __init__(self) -> None:
        self.told: list[str | bytes] = []

    def text(self, desk: Desk, message: str) -> None:
        self.told.append(message)

    def binary(self, desk: Desk, message: bytes) -> None:
        self.told.append(message)

    def opened(self, desk: Desk) -> None: ...
    def audio(self, desk: Desk, payload: bytes) -> None: ...
    def digit(self, desk: Desk, digit: str) -> None: ...
    def reached(self, desk: Desk, name: str) -> None: ...
    def hung_up(self, desk: Desk) -> None: ...


class MuteCarrier:
    """Another carrier's phase 1, and then a mute socket. `url` is where it was invited to."""

    def __init__(self, carrier: FakeCarrier, **changes: object) -> None:
        self.url = ""
        self._carrier = carrier
        self._changes = changes

    def webhook(self, now: float) -> HttpRequest:
        return self._carrier.webhook(now)

    def invited(self, answer: HttpAnswer, now: float) -> Media:
        media = self._carrier.invited(answer, now)
        self.url = media.url
        changed: Media = replace(media, dialect=Mute(), **self._changes)  # type: ignore[arg-type]
        return changed

    def started(self, now: float) -> Sequence[HttpRequest]:
        return ()

    def ended(self, ending: Ending, now: float) -> Sequence[HttpRequest]:
        return ()


class BadSockets(SynchronousTestCase):
    """A server with one honest call, from 0 s to 12 s, that is checked at the end."""

    def setUp(self) -> None:
        self.server = VirtualServer({"replies": [["hours", ANSWER]]}, {"greeting": GREETING})
        self.web = VirtualWeb(self.server)
        self.patch(txaio.config, "loop", self.server.clock)
        self.before = dict(door.refused._values)
        self.strangers: list[tuple[Caller, int]] = []  # and their conversations
        self.neighbour = Caller()
        self.neighbour.says("hours please", at=6.0, lasting=0.8)
        self.neighbour.hangs_up(at=12.0)
        self.neighbours_line = self.line(self.call("twilio", self.neighbour, ["hours please"]))
        self.neighbour_id = self.server.latest()

    # -- strangers --------------------------------------------------------------------------------

    def call(
        self, carrier: str | FakeCarrier, caller: Caller, script: Iterable[str | None] = ()
    ) -> Deferred[WebSocketLine]:
        """Somebody with a call of their own, now. What the carrier complains of is no matter."""
        one = CARRIERS[carrier](self.web.callee) if isinstance(carrier, str) else carrier
        calling = self.web.call(one, caller, deque(script), strict=False)
        self.wait(0.0)
        self.conversation_id = self.server.latest()
        return calling

    def caller(self, carrier: str | FakeCarrier, at: float = 0.1) -> tuple[Caller, WebSocketLine]:
        """A caller whose call is running, from `at` on, and their line."""
        self.server.clock.run(at)
        caller = Caller()
        return caller, self.line(self.call(carrier, caller))

    def mute(self, carrier: str = "twilio", **changes: object) -> tuple[Caller, WebSocketLine]:
        """Somebody whose carrier opens a socket and says nothing there."""
        return self.caller(MuteCarrier(CARRIERS[carrier](self.web.callee), **changes), self.now)

    def line(self, calling: Deferred[WebSocketLine]) -> WebSocketLine:
        found: WebSocketLine = self.successResultOf(calling)
        return found

    def refusal(self, calling: Deferred[WebSocketLine]) -> str:
        """Why the line did not come up."""
        return str(self.failureResultOf(calling, CallFailed).value)

    # -- time -------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        return self.server.clock.seconds()

    def wait(self, seconds: float) -> None:
        self.server.clock.run(self.now + seconds)

    # -- afterwards -------------------------------------------------------------------------------

    def run_to_the_end(self, until: float = 14.0) -> None:
        """Let the honest call come to its end, and see that nobody has hurt it."""
        self.server.clock.run(until)
        dialogue = [
            entry.value
            for entry in self.server.entries(self.neighbour_id)
            if entry.kind == "message"
        ]
        self.assertEqual(dialogue, [GREETING, "hours please", ANSWER])
        self.assertEqual(str(self.neighbour.ending), "caller_hung_up")
        self.assertEqual(self.neighbours_line.complaints, {})
        # Not a frame of the neighbour's was lost or late: each sound is as long as its words.
        lengths = [sound.lasting for sound in self.neighbour.heard]
        for length, text in zip(lengths, (GREETING, ANSWER), strict=True):
            self.assertLess(abs(length - len(text) * 0.06), 0.03)
        self.assertEqual(self.web.leftovers(), [])

    def refused(self) -> dict[str, float]:
        """How many sockets were refused since the beginning, by reason."""
        values = door.refused._values
        counts = {reason[0]: count - self.before.get(reason, 0) for reason, count in values.items()}
        return {reason: count for reason, count in counts.items() if count}

    def conversation(self) -> Conversation:
        """What is remembered of the latest stranger's call."""
        found: Conversation = self.successResultOf(
            self.server.conversations.get(self.conversation_id)
        )
        return found

    def ended(self, reason: str) -> None:
        """The latest stranger's call was remembered to have ended so, once."""
        ends = [
            entry.data["reason"]
            for entry in self.server.entries(self.conversation_id)
            if entry.name in ("call.ended", "call.failed")
        ]
        self.assertEqual((self.conversation().end_reason, ends), (reason, [reason]))
