"""A caller from the farm against a running server: what is behind `rapida talk`.

By SIP, or phase 1 by HTTP and phase 2 by AudioSocket or a carrier's WebSocket; the caller greets
politely, says its lines one after the other when it is its turn, and hangs up when there is no more
to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from treq.client import HTTPClient
from twisted.internet.defer import Deferred

from rapida_tw.audio.format import Samples
from rapida_tw.sim import sip_calling
from rapida_tw.sim.asterisk import Asterisk, Dialplan
from rapida_tw.sim.caller import Caller, Happened, Turn
from rapida_tw.sim.ear import Interval
from rapida_tw.sim.exchange import Exchange
from rapida_tw.sim.farm import CARRIERS, Callee, Reach
from rapida_tw.sim.http import real_http
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import Ending
from rapida_tw.sim.voices import read_wav, speak
from rapida_tw.speech.base import SynthesizerProvider

# Who says goodbye hangs up within this; only then the caller does.
_LAST_QUIET = 3.0  # seconds
_ANSWER_WITHIN = 15.0  # seconds for a webhook: Twilio's limit, the longest of all

AUDIOSOCKET = "audiosocket"
SIP = "sip"
TRANSPORTS = (AUDIOSOCKET, *CARRIERS, SIP)


@dataclass(frozen=True, slots=True)
class Say:
    """A line, spoken by the voice that `talk` was given; hummed where there is none."""

    text: str


@dataclass(frozen=True, slots=True)
class Play:
    """A WAV file: 16 bit, any rate."""

    wav: Path


@dataclass(frozen=True, slots=True)
class Press:
    """Keys: 0-9 A-D * #."""

    digits: str


@dataclass(frozen=True, slots=True)
class TalkOptions:
    """One call. `quiet`: seconds without a sound after which it is the caller's turn.

    `transport` is "audiosocket" or "sip", to `host` and `port`, or one of the farm's `CARRIERS`;
    `secret` is what that carrier signs with.
    """

    url: str
    api_key: str = field(repr=False)
    assistant_id: str
    host: str = "127.0.0.1"
    port: int = 4_573
    transport: str = AUDIOSOCKET
    caller: str = "+15550100"
    steps: tuple[Say | Play | Press, ...] = ()
    heard_wav: Path | None = None
    quiet: float = 1.0
    longest: float = 120.0  # seconds; then the caller hangs up
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went, as the caller saw it. Times in seconds since the line came up.

    `complaints`: what the carrier did not understand of the server's messages.
    """

    ending: Ending
    duration: float
    turns: tuple[Turn, ...]
    heard: tuple[Interval, ...]
    complaints: tuple[str, ...] = ()

    @property
    def was_heard(self) -> bool:
        """After the beginning of every turn of the caller's something was heard.

        Of its beginning, because an entry by keys may be complete before the last of them.
        """
        latest = max((interval.start for interval in self.heard), default=-1.0)
        return all(turn.started <= latest for turn in self.turns) and latest >= 0


def talk(
    reactor: Any,
    options: TalkOptions,
    say_line: Callable[[str], None],
    now: Callable[[], float],
    voice: SynthesizerProvider | None = None,
    http: HTTPClient | None = None,
) -> Deferred[Outcome]:
    """Make the call; each thing that happens is a line for `say_line`.

    `now`: seconds since the epoch, for a carrier's stamps. Errbacks with `CallFailed` (no line),
    `ValueError` (a WAV file), `OSError`, or `VendorFailed` (the caller's own voice). Cancelling it
    hangs up.
    """
    return Deferred.fromCoroutine(_talk(reactor, options, say_line, now, voice, http))


async def _talk(
    reactor: Any,
    options: TalkOptions,
    say_line: Callable[[str], None],
    now: Callable[[], float],
    voice: SynthesizerProvider | None,
    http: HTTPClient | None,
) -> Outcome:
    over: Deferred[None] = Deferred()

    def tell(happened: Happened) -> None:
        say_line(_as_line(happened))
        if happened.what == "ended" and not over.called:
            over.callback(None)

    caller = Caller(tell)
    for step in options.steps:
        await _add(caller, step, voice, options.quiet)
    caller.hangs_up(quiet=max(options.quiet, _LAST_QUIET))
    caller.hangs_up(at=options.longest)
    if options.transport == AUDIOSOCKET:
        complaints: Sequence[str] = ()
        line = await Asterisk(reactor, _dialplan(options), http).call(caller, Metronome(reactor))
        try:
            await over
        finally:
            line.hang_up()
    elif options.transport == SIP:
        complaints = await _by_sip(reactor, options, caller, over)
    else:
        complaints = await _by_websocket(reactor, options, caller, over, now, http)
    for complaint in complaints:
        say_line(f"           {options.transport} complains: {complaint}")
    if options.heard_wav is not None:
        caller.save_heard(options.heard_wav)
    assert caller.ending is not None  # `over` has fired
    return Outcome(
        caller.ending,
        caller.ended_at or 0.0,
        tuple(caller.turns),
        tuple(caller.heard),
        tuple(complaints),
    )


async def _by_sip(
    reactor: Any, options: TalkOptions, caller: Caller, over: Deferred[None]
) -> Sequence[str]:
    complaints = await sip_calling.call(
        reactor,
        caller,
        over,
        (options.host, options.port),
        options.assistant_id,
        options.api_key,
        options.caller,
    )
    return [f"{why} ({times} times)" for why, times in complaints.items()]


async def _by_websocket(
    reactor: Any,
    options: TalkOptions,
    caller: Caller,
    over: Deferred[None],
    now: Callable[[], float],
    http: HTTPClient | None,
) -> Sequence[str]:
    """The call, to its end; what the carrier did not like of it."""
    callee = Callee(
        options.url, options.assistant_id, options.api_key, options.caller, options.secret
    )
    carrier = CARRIERS[options.transport](callee)
    reach = Reach(reactor, options.url)
    asking = reach.http(real_http(reactor, _ANSWER_WITHIN, http))
    exchange = Exchange(asking, reach.connect, Metronome(reactor), now)
    line = await exchange.call(carrier, caller)
    reporting = exchange.report(carrier, line)
    try:
        await over
    finally:
        line.hang_up()
        statuses = await reporting
    refused = [status for status in statuses if not 200 <= status < 300]
    return [
        *(f"{why} ({times} times)" for why, times in line.complaints.items()),
        *(f"a callback got {f'HTTP {status}' if status else 'no answer'}" for status in refused),
    ]


def _dialplan(options: TalkOptions) -> Dialplan:
    return Dialplan(
        options.url,
        options.assistant_id,
        options.api_key,
        options.host,
        options.port,
        options.caller,
        key_in_header=True,
    )


async def _add(
    caller: Caller, step: Say | Play | Press, voice: SynthesizerProvider | None, quiet: float
) -> None:
    if isinstance(step, Press):
        caller.presses(step.digits, quiet=quiet)
    elif isinstance(step, Play):
        caller.says(read_wav(step.wav), text=step.wav.name, quiet=quiet)
    elif voice is None:
        caller.says(step.text, quiet=quiet)
    else:
        spoken: Samples = await speak(voice, step.text)
        caller.says(spoken, text=step.text, quiet=quiet)


def _as_line(happened: Happened) -> str:
    what = {
        "says": "caller says: ",
        "presses": "caller presses: ",
        "hears": "caller hears the assistant ",
        "hangs-up": "caller hangs up",
        "ended": "call ended: ",
    }[happened.what]
    return f"{happened.at:7.2f} s  {what}{happened.text}".rstrip()
