"""Calls one number through one trunk and tells what happens, a line of JSON each: a process.

The user agent and its sockets are the server's own; who is called hears silence for some seconds.

    python -m tests.interop.sip.dialler '{"sip_server": "127.0.0.1:5060"}' 15551234567 5 20
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from twisted.internet import reactor, task
from twisted.internet.defer import Deferred

from rapida_tw.audio.format import AudioFormat
from rapida_tw.audio.g711 import MULAW
from rapida_tw.config.sections import Sip
from rapida_tw.errors import End
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.leg import LegListener
from rapida_tw.sip.dialling import CallUser
from rapida_tw.sip.outcome import Outcome
from rapida_tw.sip.session import Session
from rapida_tw.sip.trunk import Trunk
from rapida_tw.sip_service import SipService
from rapida_tw.transports.reading import BeatReader
from tests.interop.server import free_port, rtp_ports
from tests.interop.sound import LOUD

SILENCE = bytes([0xFF]) * 160  # 20 ms of µ-law
TICK = 0.02  # seconds


def tell(what: str, **more: object) -> None:
    print(json.dumps({"what": what, **more}), flush=True)


class Ear:
    """Who has called: hears, sends silence, hangs up after `seconds`."""

    def __init__(self, session: Session, seconds: float, over: Deferred[None]) -> None:
        self._session = session
        self._over = over
        self._loud = 0  # frames
        self._sending = task.LoopingCall(session.send_audio, SILENCE)
        self._sending.start(TICK)
        self._hanging_up = reactor.callLater(seconds, self._hang_up)  # type: ignore[attr-defined]

    def audio_received(self, payload: bytes, sequence: int | None = None) -> None:
        samples = MULAW.decode(payload).astype(np.float64)
        self._loud += bool(np.sqrt(np.mean(samples**2)) > LOUD)

    def format_changed(self, format: AudioFormat) -> None: ...

    def digit_received(self, digit: str) -> None:
        tell("digit", digit=digit)

    def audio_lost(self, seconds: float) -> None: ...

    def audio_paused(self, seconds: float) -> None: ...

    def alive(self) -> None: ...

    def hold_changed(self, held: bool) -> None: ...

    def mark_heard(self, name: str) -> None: ...

    def far_end_full(self, full: bool) -> None: ...

    def leg_ended(self, end: End) -> None:
        self._hanging_up.cancel()
        self._stop(end.reason)

    def _hang_up(self) -> None:
        self._session.hang_up()
        self._stop("we hung up")

    def _stop(self, why: str) -> None:
        self._sending.stop()
        tell("over", why=why, heard=self._loud * TICK)
        self._over.callback(None)


class Caller:
    """Tells of everything, and has done with it at the end."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.over: Deferred[None] = Deferred()

    def trying(self) -> None:
        tell("trying")

    def ringing(self) -> None:
        tell("ringing")

    def early_media(self) -> None:
        tell("early media")

    def answered(self, session: Session) -> None:
        tell("answered", encoding=session.format.encoding.name)

    def attach(self, session: Session) -> LegListener:
        return Ear(session, self._seconds, self.over)

    def ended(self, end: End) -> None:
        tell("ended", why=end.reason)
        self.over.callback(None)

    def failed(self, outcome: Outcome) -> None:
        tell("failed", status=outcome.status, code=outcome.code)
        self.over.callback(None)


async def dial(clock: Any, fields: str, number: str, talking: float, patience: float) -> None:
    """`talking`: seconds until it hangs up; `patience`: until it stops ringing."""
    first = rtp_ports()
    config = Sip(
        server="127.0.0.1",
        port=free_port(),
        codecs=("PCMU",),
        rtp_port_range_start=first,
        rtp_port_range_end=first + 100,
    )
    beat = MediaClock(clock)
    nobody: Any = None  # nobody calls
    service = SipService(config, clock, beat, BeatReader(beat.read_with), nobody, time.time)
    service.privilegedStartService()
    caller = Caller(talking)
    handle = service.agent.dial(Trunk.read(json.loads(fields)), number, caller)
    giving_up = clock.callLater(patience, handle.cancel)
    await caller.over
    if giving_up.active():
        giving_up.cancel()
    await service.stopService()


_conforms: tuple[type[CallUser], type[LegListener]] = (Caller, Ear)

if __name__ == "__main__":
    _, asked, number, talking, patience = sys.argv
    task.react(
        lambda clock: Deferred.fromCoroutine(
            dial(clock, asked, number, float(talking), float(patience))
        )
    )
