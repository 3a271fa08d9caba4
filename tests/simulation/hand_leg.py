"""A leg made by hand, without a wire: for what no carrier's wire can tell yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.audio.format import RATE, TICK, AudioFormat
from rapida_tw.errors import REMOTE_HANGUP
from rapida_tw.media.leg import Leg, LegListener, Measured
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.phone import Ending, Line, Reason
from rapida_tw.simulation import VirtualServer
from rapida_tw.simulation.server import done


class HandLeg:
    """A Leg of one call to `server`, whose far side is `caller`; linear samples both ways.

    `holds(at, until)`: the far side puts us on hold, and takes us back, as its line's time says.
    While it does, its music is sent to us. `sent_on_hold` must stay 0.
    """

    def __init__(self, server: VirtualServer, caller: Caller, *script: str | None) -> None:
        self.format = AudioFormat(rate=RATE)
        self.caller = caller
        self.sent_on_hold = 0
        self.held = False
        self._server = server
        self._ended = False
        self._holding: list[IDelayedCall] = []
        server.ears.scripts.append(deque(script))
        self.context = server.register()
        claimed = done(server.calls.claim(self.context.id, carrier="asterisk"))
        self.listener: LegListener = server.calls.attach(claimed, self)
        self._began = server.clock.seconds()
        server.metronome.add(self._beat)
        caller.connected(_CallersLine(self))

    @property
    def now(self) -> float:
        return self._server.clock.seconds() - self._began

    def holds(self, at: float, until: float) -> None:
        clock = self._server.clock
        self._holding = [
            clock.callLater(self._began + when - clock.seconds(), self._hold, held)
            for when, held in ((at, True), (until, False))
        ]

    def _hold(self, held: bool) -> None:
        self.held = held
        self.listener.hold_changed(held)

    def _beat(self) -> None:
        self.caller.beat(self.now)

    def over(self, reason: Reason) -> None:
        if not self._ended:
            self._ended = True
            for change in self._holding:
                if change.active():
                    change.cancel()
            self._server.metronome.remove(self._beat)
            self.caller.disconnected(Ending(reason), self.now)

    # -- Leg --------------------------------------------------------------------------------------

    def send_audio(self, payload: bytes) -> None:
        self.sent_on_hold += self.held
        self.caller.audio_heard(payload, RATE, self.now)

    def mark(self, name: str) -> None: ...
    def clear(self) -> None: ...
    def send_digits(self, digits: str) -> None: ...

    def hang_up(self, end: object = None) -> None:
        self.over(Reason.SERVER_HUNG_UP)

    def measures(self) -> Mapping[str, tuple[str, Mapping[str, object]]]:
        return {"media.mos": ("4.2", {"loss": 1.5}), "media.jitter_ms": ("7", {})}


class _CallersLine:
    """The caller's end of it."""

    rate = RATE
    interval = TICK

    def __init__(self, leg: HandLeg) -> None:
        self._leg = leg

    def send_audio(self, payload: bytes) -> None:
        self._leg.listener.audio_received(payload)

    def press(self, digit: str) -> None:
        self._leg.listener.digit_received(digit)

    def hang_up(self, end: object = None) -> None:
        self._leg.over(Reason.CALLER_HUNG_UP)
        self._leg.listener.leg_ended(REMOTE_HANGUP)


_conform: tuple[type[Leg], type[Measured], type[Line]] = (HandLeg, HandLeg, _CallersLine)
