"""CarrierPort: a carrier's REST side on a real port, calling a server that really runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from twisted.internet.defer import Deferred

from rapida_tw.sim.call_steps import Report
from rapida_tw.sim.caller import Caller, Happened
from rapida_tw.sim.farm import Reach
from rapida_tw.sim.habits import Habit
from rapida_tw.sim.http import real_http
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import Phone
from rapida_tw.sim.placed_call import PlacedCall
from rapida_tw.sim.rest_carriers import rest_of
from rapida_tw.sim.switchboard import Switchboard, Ways
from rapida_tw.sim.vendors.port import VendorPort

ANSWER_WITHIN = 15.0  # seconds that a callback waits


@dataclass(frozen=True, slots=True)
class CarrierOptions:
    """`fields`: of the credential. `server`: URL of its HTTP port: callbacks and media go there,
    whatever host they name. `talks`: seconds until somebody who has answered hangs up.
    """

    carrier: str
    fields: Mapping[str, str] = field(repr=False)
    server: str
    habit: Habit
    talks: float = 20.0
    flow: str = ""


class CarrierPort:
    """`start`, then `stop`. `tell` hears lines about what happens; `now`: since the epoch."""

    def __init__(
        self,
        reactor: Any,
        options: CarrierOptions,
        tell: Callable[[str], None],
        now: Callable[[], float],
    ) -> None:
        self._tell = tell
        self._talks = options.talks
        self.board = board = Switchboard(replace(options.habit, phone=self._person))
        board.tell = self._noticed
        self.rest = rest_of(options.carrier, board, options.fields, flow=options.flow, tls=False)
        self.rest.troubles.tell = lambda why: tell(f"the carrier objects: {why}")
        board.watch = self._happened
        reach = Reach(reactor, options.server)
        http = reach.http(real_http(reactor, ANSWER_WITHIN))
        board.plug_in(Ways(reactor, http, reach.connect, Metronome(reactor), now))
        self._port = VendorPort(reactor, self.rest)

    def start(self, port: int = 0) -> int:
        """Listen on the loopback; returns the port, which the system chooses for 0."""
        return self._port.start(port)

    def stop(self) -> Deferred[Any]:
        """Calls end without a word."""
        self.board.stop()
        return self._port.stop()

    def _happened(self, call: PlacedCall, report: Report) -> None:
        what = report.stage.name.lower() if report.over is None else report.over.value
        seconds = f", {report.seconds:.1f} s" if report.seconds else ""
        self._tell(f"{call.side.id} to {call.side.callee}: {what}{seconds}")
        for error in call.errors if report.over is not None else ():
            self._tell(f"{call.side.id}: {error}")

    def _person(self) -> Phone:
        """Somebody who says hello, listens, and hangs up."""
        caller = Caller(self._noticed)
        caller.says("hello", at=0.5)
        caller.hangs_up(at=self._talks)
        return caller

    def _noticed(self, happened: Happened) -> None:
        self._tell(f"  {happened.at:6.2f} s {happened.what} {happened.text}".rstrip())
