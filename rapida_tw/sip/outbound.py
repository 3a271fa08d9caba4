"""One call of ours through a trunk, from its number to its leg (RFC 3261 8.1, 9.1, 13.2).

The trunk's addresses are tried in turn for as long as nobody has said anything. Early media are
told of and not heard. Whatever comes, ports and timers go back, and `CallUser` is told of one end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import CallError, CapacityExceeded, End
from rapida_tw.sip.base import Flow
from rapida_tw.sip.counters import failures
from rapida_tw.sip.dialling import CallUser, Handle, Switch
from rapida_tw.sip.draft import Draft
from rapida_tw.sip.farewell import Farewell
from rapida_tw.sip.forks import Forks
from rapida_tw.sip.inviting import Inviter, Inviting
from rapida_tw.sip.locate import NotLocated, Target
from rapida_tw.sip.media import Offers, Stream
from rapida_tw.sip.outcome import Outcome, outcomes
from rapida_tw.sip.parties import printable
from rapida_tw.sip.redirect import Redirects
from rapida_tw.sip.session import Session
from rapida_tw.sip.trunk import Trunk
from rapida_tw.sip.usage import Usage
from rapida_tw.wire.sip_cause import NORMAL, Reason
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_timer import SessionTimer

ATTACH_WITHIN = 1.0  # seconds after the answer: see sip/inbound.py
CONNECT_WITHIN = 6.0  # seconds to one address, over TCP and TLS

NO_ANSWER = Reason("Q.850", 19, "No answer from user")
CANCELLED = End("cancelled")


class OutboundCall:
    """What whoever asked for it holds: Handle and Inviter. `over` is told once, at the end."""

    _log = Logger()

    def __init__(
        self,
        switch: Switch,
        trunk: Trunk,
        number: str,
        user: CallUser,
        over: Callable[[OutboundCall], None],
    ) -> None:
        """`number`: as sip/numbers.py gives it. The user is told nothing before the next turn."""
        self._switch = switch
        self._trunk = trunk
        self._user = user
        self._over = over
        self._draft = Draft(trunk, number, switch.random)
        self.call_id = self._draft.call_id
        self._redirects = Redirects(trunk)
        self._targets: deque[Target] | None = None
        self._last: Outcome | None = None  # of an address that was given up
        self._told: set[str] = set()
        self._sent = False  # something has answered an INVITE
        self._address: Flow | None = None  # of the trunk
        self._flow: Flow | None = None  # the same, or where a redirection has led
        self._offers: Offers | None = None
        self._stream: Stream | None = None
        self._forks: Forks | None = None
        self._allowed: set[str] = set()
        self._inviting: Inviting | None = None
        self._session: Session | None = None
        self._work: Deferred[None] | None = None
        self._done = False
        self._timer: IDelayedCall | None = switch.clock.callLater(0, self._begin)
        switch.ladders.begin(self.call_id)

    @property
    def in_dialog(self) -> bool:
        """It is one of the open dialogs."""
        return self._session is not None or (self._forks is not None and len(self._forks) > 0)

    def cancel(self) -> None:
        """Not wanted any more: `failed` or `ended` is told at once. Attached, it is the leg's."""
        if self._session is not None:
            self._end(CANCELLED)
        else:
            self._fail(Outcome("cancelled", 0, "given up", False, self._sent))

    # -- to one address after the other -----------------------------------------------------------

    def _begin(self) -> None:
        limit = self._switch.settings.ring_limit
        self._timer = self._switch.clock.callLater(limit, self._rung_out, limit)
        self._next()

    def _next(self) -> None:
        self._put_back()
        work = Deferred.fromCoroutine(self._reach())
        self._work = work.addCallback(self._reached).addErrback(self._broken)

    async def _reach(self) -> Flow | None:
        """The way to the next address that can be reached; None: there is none left."""
        switch, trunk = self._switch, self._trunk
        if self._targets is None:
            found = await switch.locator.find(trunk.host, trunk.port, trunk.transport)
            self._targets = deque(found)
        while self._targets:
            target = self._targets.popleft()
            opening = switch.flows.to(target.host, target.port, target.transport, target.name)
            try:
                return await opening.addTimeout(CONNECT_WITHIN, switch.clock)
            except CancelledError:
                raise
            except Exception as error:
                self._unreachable(str(error) or type(error).__name__)
        return None

    def _unreachable(self, why: str) -> None:
        why = printable(f"{self._trunk.host}: {why}")
        self._last = Outcome("unreachable", 0, why, True, self._sent)

    def _reached(self, flow: Flow | None) -> None:
        if flow is None:
            assert self._last is not None
            self._fail(self._last)
            return
        self._address = self._switch.ladders.noted(self.call_id, flow)
        self._switch.guard.call_began(flow.peer[0])
        # Each address has ports of its own: it may be of another family.
        self._offers, self._stream = self._switch.open_line(flow, self._trunk.learning)
        self._offers.offer()
        self._forks = Forks(self._offers, self._stream, self._make)
        self._invite(self._address)

    def _invite(self, flow: Flow) -> None:
        """The same offer each time, over the ports that there are."""
        self._flow = flow
        self._inviting = Inviting(self._switch, flow, self._request, self._trunk.login, self)
        self._inviting.send()

    def _request(self, credentials: Iterable[tuple[str, str]]) -> Request:
        assert self._flow is not None
        assert self._offers is not None
        assert self._forks is not None
        self._forks.leave()  # those of a try that was refused are over with it
        contact, offer = self._switch.contact(self._flow), self._offers.local
        return self._draft.request(self._switch, contact, offer, credentials)

    def _make(self, dialog: Dialog, invite: Request, flow: Flow, stream: Stream) -> Session:
        assert self._offers is not None
        session = Session(
            self._switch,
            dialog,
            flow,
            self._offers,
            stream,
            invite,
            SessionTimer(),
            self._allowed,
            lambda end: self._ended(dialog, end),
            self._trunk.login,
            self._switch.place,
        )
        self._switch.calling(dialog, flow)
        return session

    # -- Inviter ----------------------------------------------------------------------------------

    def progressed(
        self, response: Response, dialog: Dialog | None, invite: Request, flow: Flow
    ) -> None:
        self._sent = True
        self._tell_once("trying")
        if self._forks is not None and dialog is not None:
            self._allowed = response.headers.tokens("Allow")
            self._forks.progressed(dialog, invite, response, flow)
        if response.status == 180:
            self._tell_once("ringing")
        if response.status > 100 and response.sdp:
            self._tell_once("early_media")

    def accepted(self, dialog: Dialog, invite: Request, response: Response, flow: Flow) -> None:
        forks, stream = self._forks, self._stream
        assert forks is not None
        assert stream is not None
        self._sent = True
        self._allowed = response.headers.tokens("Allow")
        session = forks.answered(dialog, invite, response, flow)
        if session is None:
            usage = Usage(self._switch, dialog, flow, self._trunk.login, lambda why: None)
            Farewell(usage, NORMAL)
            self._fail(Outcome("failed", response.status, "it had hung up before", False, True))
            return
        self._session = session
        session.established(response)
        if self._done:
            return
        self._stop_waiting()
        self._timer = self._switch.clock.callLater(ATTACH_WITHIN, self._attach)
        outcomes.inc("answered")
        self._log.info("{call} is answered", call=self.call_id)
        self._tell_once("answered", session)
        if not self._done:
            stream.begin(self._attach)

    def refused(self, response: Response) -> None:
        self._sent = True
        address, flow, status = self._address, self._flow, response.status
        assert address is not None
        assert flow is not None
        if status == 422 and self._draft.raised(response):
            self._invite(flow)
            return
        if 300 <= status < 400:
            self._redirects.received(response, address)
        # A 6xx speaks for everybody (21.6).
        uri = self._redirects.next() if status < 600 else None
        if uri is not None:
            self._draft.redirected(uri)
            self._invite(address if uri.port is None else address.beside(uri.port))
            return
        outcome = Outcome.answered_with(response)
        if status == 503 and self._targets and "ringing" not in self._told:
            self._last = outcome
            self._next()
        else:
            self._fail(outcome)

    def failed(self, reason: str, heard: bool) -> None:
        if heard:
            # Somebody may have been rung up: neither the next address nor another try is due.
            self._fail(Outcome("failed", 0, printable(reason), False, True))
            return
        self._unreachable("no answer" if reason == "timeout" else reason)
        self._next()

    # -- answered: until it is attached -----------------------------------------------------------

    def _attach(self) -> None:
        """See sip/inbound.py."""
        session = self._session
        if self._done or session is None:
            return
        self._finish()
        try:
            session.listen(self._user.attach(session))
        except Exception as error:
            if not isinstance(error, CallError):
                failures.inc()
                self._log.failure("{call}: attaching failed", call=self.call_id)
            session.hang_up()

    # -- ways out ---------------------------------------------------------------------------------

    def _rung_out(self, limit: float) -> None:
        if not self._sent:
            self._unreachable(f"no answer within {limit:g} s")
            assert self._last is not None
            self._fail(self._last)
            return
        if self._inviting is not None:
            self._inviting.give_up(NO_ANSWER)
        self._fail(Outcome("no_answer", 0, f"not answered within {limit:g} s", True, True))

    def _ended(self, dialog: Dialog, end: End) -> None:
        """A session is over, and nobody listens to it."""
        if self._session is None:
            if self._forks is not None:
                self._forks.ended(dialog)
        elif "answered" in self._told:
            self._end(end)
        else:  # what they say to our offer cannot be used; they have got a BYE
            self._fail(Outcome("media", 200, printable(end.detail), False, True))

    def _end(self, end: End) -> None:
        """It was answered."""
        if self._done:
            return
        self._finish()
        assert self._session is not None
        self._session.hang_up()
        self._tell("ended", end)

    def _broken(self, failure: Failure) -> None:
        error = failure.value
        if self._done and isinstance(error, CancelledError):
            return
        reason = printable(str(error))
        if isinstance(error, NotLocated):
            self._fail(Outcome("unreachable", 0, reason, True, self._sent))
        elif isinstance(error, CallError):
            retryable = isinstance(error, CapacityExceeded)
            self._fail(Outcome("failed", 0, reason, retryable, self._sent))
        else:
            failures.inc()
            self._log.failure("{call}: failed", failure, call=self.call_id)
            self._fail(Outcome("failed", 0, "an error of ours", True, self._sent))

    def _fail(self, outcome: Outcome) -> None:
        if self._done:
            return
        self._finish()
        self._put_back()
        outcomes.inc(outcome.status)
        self._log.info(
            "{call} through {trunk} came to nothing: {status} ({code} {reason})",
            call=self.call_id,
            trunk=self._trunk.host,
            status=outcome.status,
            code=outcome.code,
            reason=outcome.reason,
        )
        self._tell("failed", outcome)

    def _finish(self) -> None:
        self._done = True
        self._stop_waiting()
        if self._work is not None:
            self._work.cancel()
        if self._session is not None:
            self._leave_address()
        self._over(self)

    def _put_back(self) -> None:
        """What was had for an address: the INVITE is given up, ports and dialogs are no more."""
        if self._inviting is not None:
            self._inviting.give_up()
            self._inviting = None
        if self._forks is not None:
            self._forks.leave()
            self._forks = None
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._leave_address()

    def _leave_address(self) -> None:
        """The guard goes by dialogs from here on."""
        if self._address is not None:
            self._switch.guard.call_ended(self._address.peer[0])
            self._address = None

    def _stop_waiting(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    # -- the user ---------------------------------------------------------------------------------

    def _tell_once(self, what: str, *told: object) -> None:
        if what not in self._told and not self._done:
            self._told.add(what)
            self._tell(what, *told)

    def _tell(self, what: str, *told: object) -> None:
        try:
            getattr(self._user, what)(*told)
        except Exception:
            failures.inc()
            self._log.failure("{call}: telling {what} failed", call=self.call_id, what=what)


_conforms: tuple[type[Inviter], type[Handle]] = (OutboundCall, OutboundCall)
