"""Asking: one response at a time, as OpenAI's Realtime API has it.

The API makes a response by itself when the caller falls silent, and refuses to make a second one
beside it. What we ask for waits, is asked for again where it was refused, and comes before what the
API had in mind where it must. Of a response that was given up nothing is told on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapida_tw.net.base import Frame
from rapida_tw.speech.messages import part, text, written

BUSY = "conversation_already_has_active_response"
_TAG = "asked"  # the key of a response's metadata, which come back with it
_REMEMBERED = 16  # responses that were given up: their last deltas may be under way


@dataclass(frozen=True, slots=True)
class _Ask:
    tag: str
    response: Mapping[str, Any]
    first: bool  # what the API makes by itself meanwhile is given up for it

    def frame(self) -> Frame:
        response = {**self.response, "metadata": {_TAG: self.tag}}
        return written({"type": "response.create", "event_id": self.tag, "response": response})


class Asking:
    """The responses of one connection. All methods but `done` answer what is to be sent now."""

    def __init__(self) -> None:
        self.active = ""  # the id of the response under way
        self._due: deque[_Ask] = deque()
        self._asked: _Ask | None = None  # not created yet
        self._unwanted: set[str] = set()  # tags of those that were given up before that
        self._given_up: deque[str] = deque(maxlen=_REMEMBERED)
        self._number = 0
        self._tells_tags = False  # the server gives metadata back, as OpenAI does

    def ask(self, response: Mapping[str, Any], first: bool = False) -> Sequence[Frame]:
        """Have a response made: at once, or when the one under way is over."""
        self._number += 1
        self._due.append(_Ask(f"ask_{self._number}", response, first))
        return self.go_on()

    def go_on(self) -> Sequence[Frame]:
        """The next that is due, if its time has come."""
        if self.active or self._asked is not None or not self._due:
            return ()
        self._asked = self._due.popleft()
        return (self._asked.frame(),)

    def created(self, response: Mapping[str, Any]) -> Sequence[Frame]:
        """A response has begun, ours or not."""
        self.active = text(response, "id")
        tag = text(part(response, "metadata"), _TAG)
        if self._asked is not None and tag == self._asked.tag:
            self._asked, self._tells_tags = None, True
            return ()
        first = self._tells_tags and self._asked is not None and self._asked.first
        if tag in self._unwanted or (first and not tag):
            self._unwanted.discard(tag)
            return self._cancel()
        return ()

    def done(self, response: Mapping[str, Any]) -> bool:
        """A response is over; whether somebody still wants to know."""
        name = text(response, "id")
        if name == self.active:
            self.active = ""
            # A refusal would have come before: a server that gives no metadata back has made it.
            self._asked = None
        return not self.unwanted(name)

    def refused(self, tag: str, busy: bool) -> bool:
        """An error came for an event of ours; whether it was the response that we had asked for."""
        asked = self._asked
        if asked is None or tag != asked.tag:
            self._unwanted.discard(tag)
            return False
        self._asked = None
        if busy:
            self._due.appendleft(asked)
        return True

    def unwanted(self, response: str) -> bool:
        """It was given up: nothing more of it is told on."""
        return response in self._given_up

    def give_up(self) -> Sequence[Frame]:
        """Neither what is under way nor what was asked for is wanted any more."""
        self.forget()
        return self._cancel()

    def broken_off(self) -> None:
        """The API itself has broken off what is under way, because it hears the caller."""
        self.forget()
        if self.active:
            self._given_up.append(self.active)

    def forget(self) -> None:
        """What was asked for is moot."""
        self._due.clear()
        if self._asked is not None:
            self._unwanted.add(self._asked.tag)
            self._asked = None

    def _cancel(self) -> Sequence[Frame]:
        if not self.active or self.unwanted(self.active):
            return ()
        self._given_up.append(self.active)
        return (written({"type": "response.cancel", "response_id": self.active}),)
