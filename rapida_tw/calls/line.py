"""What a call's carrier can do for a tool besides carrying audio."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger

from rapida_tw.calls.context import CallContext, ContextStore
from rapida_tw.carriers.outbound import Line
from rapida_tw.errors import End, NotSupported
from rapida_tw.media.leg import Leg, Transferring

# The dialplan says in its first request that it will ask for the follow-up afterwards.
ANNOUNCED = "transfer"


class DialplanLine:
    """AudioSocket carries no commands, but the dialplan goes on after it.

    The target is left in the context store; the dialplan fetches it into a channel variable when
    AudioSocket() has returned. A dialplan that did not announce that would only hang up.
    """

    _log = Logger()

    def __init__(self, context: CallContext, contexts: ContextStore) -> None:
        self._context = context
        self._contexts = contexts
        self._left = False

    def transfer(self, target: str) -> Deferred[None]:
        if self._context.metadata.get(ANNOUNCED) != "1":
            return fail(NotSupported("this call's dialplan does not take transfers"))
        self._left = True
        return self._contexts.leave(self._context.id, target)

    def withdraw(self) -> None:
        """Else a caller who talked the assistant out of it would be transferred after "goodbye"."""
        if self._left:
            self._left = False
            taking = self._contexts.fetch(self._context.id)
            taking.addErrback(lambda f: self._log.failure("a transfer was not withdrawn", f))

    def send_digits(self, digits: str) -> Deferred[None]:
        return fail(NotSupported("AudioSocket has no digits towards Asterisk"))

    def hang_up(self, end: End) -> None:
        """The dialplan goes on, and hangs up by itself."""


class LegLine:
    """A leg that hands its far side over by itself, at once: nothing can be taken back."""

    def __init__(self, leg: Leg, transferring: Transferring) -> None:
        """Both are the leg."""
        self._leg = leg
        self._transferring = transferring

    def transfer(self, target: str) -> Deferred[None]:
        return self._transferring.transfer(target)

    def withdraw(self) -> None:
        pass

    def send_digits(self, digits: str) -> Deferred[None]:
        try:
            self._leg.send_digits(digits)
        except NotSupported as error:
            return fail(error)
        return succeed(None)

    def hang_up(self, end: End) -> None:
        """The leg's own hang-up is all."""


def line_of(leg: Leg, context: CallContext, contexts: ContextStore) -> Line:
    """The line of a call over that leg."""
    return LegLine(leg, leg) if isinstance(leg, Transferring) else DialplanLine(context, contexts)


_conforms: tuple[type[Line], ...] = (DialplanLine, LegLine)
