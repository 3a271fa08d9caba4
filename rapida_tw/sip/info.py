"""Digits by INFO, both ways, and told once when they come by telephone-event too."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from rapida_tw.errors import NotSupported, RemoteProtocolError
from rapida_tw.sip.base import ServerTransaction
from rapida_tw.sip.usage import Usage
from rapida_tw.wire import sip_info
from rapida_tw.wire.sip_message import Response

SAME_WITHIN = 0.3  # seconds between a telephone-event and the INFO of the same press
MOST_DIGITS = 64  # that wait to be sent: one INFO at a time
_REMEMBERED = 16  # presses of one way that the other may still repeat

EVENT, INFO = "event", "info"


class Presses:
    """Which key presses are new, of two ways that may both tell them.

    A press by one way is taken for the repetition of one by the other at most once: "55" typed
    fast and sent both ways is two digits.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._alone: dict[str, deque[tuple[str, float]]] = {
            way: deque(maxlen=_REMEMBERED) for way in (EVENT, INFO)
        }

    def new(self, digit: str, way: str) -> bool:
        now = self._seconds()
        for told in self._alone.values():
            while told and now - told[0][1] > SAME_WITHIN:
                told.popleft()
        other = self._alone[INFO if way == EVENT else EVENT]
        for press in other:
            if press[0] == digit:
                other.remove(press)
                return False
        self._alone[way].append((digit, now))
        return True


class Info:
    """INFO of both sides. `pressed` is told each digit that INFO is the first to tell."""

    def __init__(self, usage: Usage, presses: Presses, pressed: Callable[[str], None]) -> None:
        self._usage = usage
        self._presses = presses
        self._pressed = pressed
        self._type = sip_info.RELAY
        self._waiting: deque[str] = deque()
        self._asking = ""  # the digit whose INFO is unanswered
        self._stopped = False

    def received(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        if not request.body:
            # A question whether we are alive (RFC 2976 2.2).
            self._usage.respond(transaction, 200)
            return
        kind = request.headers.get("Content-Type").partition(";")[0].strip().lower()
        if kind not in sip_info.TYPES:
            accept = ("Accept", ", ".join(sip_info.TYPES))
            self._usage.respond(transaction, 415, headers=(accept,))
            return
        try:
            digit = sip_info.digit(request.body)
        except RemoteProtocolError as error:
            self._usage.respond(transaction, 400, str(error))
            return
        self._usage.respond(transaction, 200)
        if digit and self._presses.new(digit, INFO):
            self._pressed(digit)

    def send(self, digits: str) -> None:
        """One after the other: over UDP two requests may overtake one another. `NotSupported`."""
        if set(digits) - sip_info.KEYS:
            raise NotSupported("only 0-9 A-D * # can be sent")
        room = MOST_DIGITS - len(self._waiting)
        self._waiting.extend(digits[:room])
        if not self._asking:
            self._next()

    def stop(self) -> None:
        self._stopped = True
        self._waiting.clear()

    def _next(self) -> None:
        self._asking = ""
        if self._waiting and not self._stopped:
            self._asking = self._waiting.popleft()
            body = sip_info.write(self._type, self._asking)
            self._usage.send("INFO", self._answered, body, self._type)

    def _answered(self, response: Response) -> None:
        if response.status == 415 and self._type == sip_info.RELAY:
            self._type = sip_info.BARE
            self._waiting.appendleft(self._asking)
        elif response.status >= 400 and response.status not in (491, 500, 503):
            self._waiting.clear()
        self._next()
