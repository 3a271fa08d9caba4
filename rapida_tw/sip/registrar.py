"""REGISTER, for phones that call nobody before they are registered (RFC 3261 10.3).

Nothing is kept: assistants call by trunks, so nobody looks a phone up. The phone is told what it
wants to hear when its password is right, and its source is known to the guard from then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.sip.base import Flow, Party
from rapida_tw.sip.inbound import Switchboard, refusal_of
from rapida_tw.wire.sip_message import Request
from rapida_tw.wire.sip_uri import Address

SHORTEST, LONGEST = 60, 3_600  # seconds
MOST_CONTACTS = 8

_SECONDS = re.compile(r"[0-9]{1,10}")


class Registration:
    """One REGISTER, until it is answered."""

    in_dialog = False

    def __init__(
        self, board: Switchboard, request: Request, flow: Flow, over: Callable[[Registration], None]
    ) -> None:
        self._board = board
        self._request = request
        self._flow = flow
        self._over = over
        self._transaction = board.transactions.accept(request, flow)
        self._work: Deferred[None] | None = None

    def begin(self) -> None:
        verifying = self._board.authority.verify(self._request, self._flow)
        verifying.addTimeout(self._board.settings.answer_within, self._board.clock)
        self._work = verifying.addCallback(self._verified)
        self._work.addErrback(self._refused).addBoth(lambda _: self._over(self))

    def stop(self, why: object = None) -> None:
        """It is not answered any more."""
        if self._work is not None:
            self._work.cancel()

    def _verified(self, party: Party) -> None:
        response = self._request.answer(200)
        for contact in contacts(self._request):
            response.headers.add("Contact", contact)
        self._transaction.respond(response)

    def _refused(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._board.refuse(self._transaction, *refusal_of(failure.value))


def contacts(request: Request) -> Iterator[str]:
    """Their Contacts as the 200 tells them, each with the seconds that it holds."""
    usual = request.headers.get("Expires", str(LONGEST))
    for value in request.headers.values("Contact")[:MOST_CONTACTS]:
        try:
            contact = Address.parse(value)
        except RemoteProtocolError:  # "*", which takes all of them back
            continue
        asked = contact.parameters.get("expires", usual)
        seconds = int(asked) if _SECONDS.fullmatch(asked) else LONGEST
        if seconds:
            yield f"<{contact.uri}>;expires={min(max(seconds, SHORTEST), LONGEST)}"
