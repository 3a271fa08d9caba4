"""The channels and bridges of a fake Asterisk: who is called answers, or does not, on a clock.

Written from ARI's documentation and a real Asterisk 22, see sim/ari.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

WORDS: Final = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    3: "No route to destination",
    16: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
    21: "Call Rejected",
    32: "Unknown",
    34: "Circuit/channel congestion",
}
_STAMP = "2026-11-21T12:00:00.000+0000"


@dataclass(slots=True)
class Person:
    """Who is called: seconds after the dialling, None = never. `cause`: instead of answering."""

    rings: float | None = 0.5
    answers: float | None = 1.0
    hangs_up: float | None = None  # after the answer
    cause: int | None = None
    sip: int = 0


@dataclass(slots=True, eq=False)
class Channel:
    """One of Asterisk's. `app`: in which it is or will be; `asked`: the query that made it."""

    id: str
    name: str
    app: str = ""
    args: list[str] = field(default_factory=list)
    state: str = "Down"
    in_stasis: bool = False
    dialplan: tuple[str, str] = ("", "")
    asked: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    watchers: set[str] = field(default_factory=set)  # applications that have subscribed
    timers: list[IDelayedCall] = field(default_factory=list)
    sounds: list[str] = field(default_factory=list)  # ring, moh: what it hears now
    digits: str = ""

    def document(self) -> dict[str, Any]:
        """As ARI shows it."""
        context, extension = self.dialplan
        app = "Stasis" if self.in_stasis else ""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "protocol_id": "",
            "caller": {"name": "", "number": ""},
            "connected": {"name": "", "number": ""},
            "accountcode": "",
            "dialplan": {
                "context": context or "default",
                "exten": extension or "s",
                "priority": 1,
                "app_name": app,
                "app_data": self.app if app else "",
            },
            "creationtime": _STAMP,
            "language": "en",
        }


class Channels:
    """All of them. `tell(app, event)` sends an event; `entered`: a dialplan has a channel."""

    def __init__(self, clock: IReactorTime, tell: Callable[[str, Mapping[str, Any]], bool]) -> None:
        """`tell`: False where no application of that name is there."""
        self.all: dict[str, Channel] = {}
        self.bridges: dict[str, set[str]] = {}
        self.people: dict[str, Person] = {}  # by number, or by dial string; "": all others
        self.entered: Callable[[Channel], None] = lambda channel: None
        self.destroyed: list[tuple[str, int]] = []
        self._clock = clock
        self._tell = tell

    def event(self, channel: Channel, kind: str, role: str = "channel", **more: Any) -> None:
        """To those who are concerned."""
        told = {"type": kind, "timestamp": _STAMP, role: channel.document(), **more}
        apps = {channel.app, *channel.watchers} - {""}
        for app in sorted(apps):
            self._tell(app, {**told, "application": app, "asterisk_id": "00:11:22:33:44:55"})

    def dial(self, channel: Channel, endpoint: str, timeout: float) -> None:
        """The channel is there; what becomes of it is the person's business."""
        self.all[channel.id] = channel
        number = re.sub(r"^\w+/", "", endpoint).removesuffix("/n").partition("@")[0]
        person = self.people.get(number) or self.people.get(endpoint) or self.people.get("")
        person = person or Person()
        self.event(channel, "Dial", "peer", dialstatus="", dialstring=endpoint)
        self.event(channel, "ChannelVarset", variable="SIPCALLID", value="x")
        if person.rings is not None:
            self._at(channel, person.rings, self._ring)
        if person.cause is not None:
            self._at(channel, person.answers or 1, self._refuse, person.cause, person.sip)
        elif person.answers is not None and person.answers < timeout:
            self._at(channel, person.answers, self._answer, person)
        else:
            self._at(channel, timeout, self._refuse, 19, 480)

    def _at(self, channel: Channel, seconds: float, work: Callable[..., None], *more: Any) -> None:
        def due() -> None:
            if channel.id in self.all:
                work(channel, *more)

        channel.timers.append(self._clock.callLater(seconds, due))

    def _ring(self, channel: Channel) -> None:
        channel.state = "Ringing"
        self.event(channel, "ChannelStateChange")
        self.event(channel, "Dial", "peer", dialstatus="RINGING", dialstring="")

    def _refuse(self, channel: Channel, cause: int, sip: int) -> None:
        # As it is: who is busy is told apart, whoever declines or does not exist is not.
        status = "BUSY" if cause == 17 else "NOANSWER"
        self.event(channel, "Dial", "peer", dialstatus=status, dialstring="")
        self.destroy(channel, cause, sip)

    def _answer(self, channel: Channel, person: Person) -> None:
        channel.state = "Up"
        self.event(channel, "ChannelStateChange")
        self.event(channel, "Dial", "peer", dialstatus="ANSWER", dialstring="")
        if person.hangs_up is not None:
            self._at(channel, person.hangs_up, self.hang_up, 16)
        if channel.app:
            self.enter(channel)
        else:
            self.entered(channel)

    def enter(self, channel: Channel) -> None:
        """Into its application; one that is not there has the call hung up."""
        channel.state = "Up"
        channel.in_stasis = True
        start = {"type": "StasisStart", "args": channel.args, "channel": channel.document()}
        if not self._tell(channel.app, {**start, "application": channel.app, "timestamp": _STAMP}):
            self.destroy(channel, 16)

    def hang_up(self, channel: Channel, cause: int, soft: bool = False) -> None:
        """By the far side, or (soft) by ARI."""
        about: dict[str, Any] = {"cause": 32, "soft": True} if soft else {"cause": cause}
        self.event(channel, "ChannelHangupRequest", **about)
        if channel.in_stasis:
            channel.in_stasis = False
            self.event(channel, "StasisEnd")
        self.destroy(channel, cause)

    def destroy(self, channel: Channel, cause: int, sip: int = 0) -> None:
        if self.all.pop(channel.id, None) is None:
            return
        for timer in channel.timers:
            if timer.active():
                timer.cancel()
        for members in self.bridges.values():
            members.discard(channel.id)
        self.destroyed.append((channel.id, cause))
        more: dict[str, Any] = {"cause": cause, "cause_txt": WORDS.get(cause, "Unknown")}
        if sip:
            more["tech_cause"] = sip
        self.event(channel, "ChannelDestroyed", **more)

    def stop(self) -> None:
        """Nobody is called any more."""
        for channel in tuple(self.all.values()):
            for timer in channel.timers:
                if timer.active():
                    timer.cancel()
        self.all.clear()
