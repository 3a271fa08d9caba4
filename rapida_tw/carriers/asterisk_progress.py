"""Where a call is by what Asterisk tells of it.

Events are posted by dialplans, whichever way their authors chose, and Dial() may have dialled our
own media: only what can mean nothing else is taken for progress.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rapida_tw.carriers.asterisk_causes import NORMAL, outcome
from rapida_tw.carriers.messages import text
from rapida_tw.carriers.outbound import Outcome, Progress, State

_OURS: Final = ("AudioSocket/", "WebSocket/", "UnicastRTP/")  # channels to us: no person's
_RINGING: Final = Progress(State.RINGING)
_ANSWERED: Final = Progress(State.ANSWERED)
_STATES: Final[Mapping[str, Progress]] = {
    "ring": _RINGING,
    "ringing": _RINGING,
    "up": _ANSWERED,
    "answer": _ANSWERED,
    "answered": _ANSWERED,
}
# By `dialstatus` or `event`; a cause says more, where it says anything.
_ENDINGS: Final[Mapping[str, Outcome]] = {
    "busy": Outcome("busy", "busy", "", True),
    "noanswer": Outcome("no_answer", "no answer", "", True),
    "cancel": Outcome("cancelled", "hung up before it was answered"),
    "congestion": Outcome("capacity_exceeded", "congestion", "", True),
    "chanunavail": Outcome("unreachable", "the channel is unavailable", "", True),
    "failed": Outcome("failed", "failed"),
}
_OVER: Final = ("hangup", "completed")
_LARGEST_CAUSE = 127  # Q.850


def progress(told: Mapping[str, str], json: Mapping[str, Any]) -> Progress | None:
    """`told`: the callback's fields, flat; `json`: its body, where ARI's objects are."""
    kind = told.get("type", "").strip()
    if kind:
        return _by_ari(kind, told, json)
    status = told.get("dialstatus", "").strip().lower()
    if status:
        # After ANSWER, Dial() has returned: the call was, or goes on with something else.
        ending = _ENDINGS.get(status)
        return None if ending is None else Progress(State.OVER, _better(told, ending))
    event = told.get("event", "").strip().lower()
    if event in _STATES:
        return _STATES[event]
    if event in _ENDINGS:
        return Progress(State.OVER, _better(told, _ENDINGS[event]))
    if event in _OVER or (not event and _cause(told) is not None):
        return Progress(State.OVER, _better(told, None))
    return None


def _by_ari(kind: str, told: Mapping[str, str], json: Mapping[str, Any]) -> Progress | None:
    """`Dial` has the called channel as its `peer`."""
    channel = json.get("peer" if kind == "Dial" else "channel")
    if not isinstance(channel, dict) or text(channel, "name").startswith(_OURS):
        return None
    if kind == "ChannelStateChange":
        return _STATES.get(text(channel, "state").lower())
    if kind == "Dial":
        return _STATES.get(told.get("dialstatus", "").lower())
    if kind == "ChannelDestroyed":
        return Progress(State.OVER, _better(told, None))
    return None


def _cause(told: Mapping[str, str]) -> int | None:
    given = (told.get("cause") or told.get("hangupcause") or "").strip()
    if not (given.isascii() and given.isdigit() and len(given) <= 3):
        return None
    return int(given) if int(given) <= _LARGEST_CAUSE else None


def _better(told: Mapping[str, str], otherwise: Outcome | None) -> Outcome | None:
    """By the cause, unless that says nothing or that the call was answered."""
    cause = _cause(told)
    if cause in (None, 0, NORMAL):
        return otherwise
    assert cause is not None
    return outcome(cause, told.get("cause_txt", ""))
