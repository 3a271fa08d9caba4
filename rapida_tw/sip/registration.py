"""One trunk's registration: REGISTER, again in time, again after a failure (RFC 3261 10.2)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.metrics import Counter
from rapida_tw.sip.base import ClientUser, Flow
from rapida_tw.sip.counters import failures
from rapida_tw.sip.guard import Guard
from rapida_tw.sip.locate import Locator, Target
from rapida_tw.sip.login import Rounds
from rapida_tw.sip.parties import printable
from rapida_tw.sip.settings import Stack
from rapida_tw.sip.trunk import Trunk
from rapida_tw.wire.sip_message import Headers, Request, Response
from rapida_tw.wire.sip_uri import Address

EXPIRES = 3_600  # seconds that we ask for
SHORTEST, LONGEST = 20, 86_400  # seconds that a registrar may want
MOST_RAISES = 2  # 423s that are believed
BACK_OFF, LONGEST_BACK_OFF = 30.0, 1_800.0  # seconds
JITTER = 0.2  # of a back-off: not all come back at once
CONNECT_WITHIN = 6.0  # seconds
KEEP_ALIVE = 30.0  # seconds: NAT forgets UDP after 30 to 180 (RFC 5626 4.4.2)
LEAVE_WITHIN = 1.0  # seconds for the last REGISTER

PING = b"\r\n\r\n"

registers = Counter("rapida_sip_registers_total", "REGISTERs of ours, by their end.", ("is",))

_SECONDS = re.compile(r"[0-9]{1,10}")


class Registrant(Stack, Protocol):
    """What it needs beside the Stack (sip/agent.py)."""

    guard: Guard
    locator: Locator


class TrunkRegistration:
    """A ClientUser. `state`: "registering", "registered" or "failed"; `changed` is told of changes.

    `token` is the user of our Contact: whoever calls it, from where we have registered, is the
    trunk.
    """

    _log = Logger()

    def __init__(self, stack: Registrant, trunk: Trunk, changed: Callable[[], None]) -> None:
        self.trunk = trunk
        self.token = f"{stack.random.getrandbits(128):032x}"
        self.state = "registering"
        self.flow: Flow | None = None
        self._stack = stack
        self._changed = changed
        self._hosts: set[str] = set()
        self._call_id = f"{stack.random.getrandbits(128):032x}"
        self._tag = f"{stack.random.getrandbits(64):016x}"
        self._cseq = 0
        self._expires = EXPIRES
        self._raises = 0
        self._tries = 0  # that have failed in a row
        self._targets: deque[Target] = deque()
        self._request: Request | None = None  # that waits for its answer
        self._rounds: Rounds
        self._work: Deferred[None] | None = None
        self._next: IDelayedCall | None = None
        self._ping: IDelayedCall | None = None
        self._left: Deferred[None] | None = None

    def start(self) -> None:
        self._next = self._stack.clock.callLater(0, self._begin)

    def knows(self, host: str) -> bool:
        """It is one of the registrar's addresses."""
        return host in self._hosts

    def stop(self) -> Deferred[None]:
        """Take the registration back; fires when that is answered, at most a second later."""
        if self._left is not None:
            return self._left
        self._quiet()
        left = self._left = Deferred()
        # One that is on its way may be granted after we have gone.
        known = self.state == "registered" or self._request is not None
        flow = self.flow
        if known and flow is not None and flow.open:
            self._next = self._stack.clock.callLater(LEAVE_WITHIN, self._gone)
            self._register(flow)
        else:
            self._gone()
        return left

    # -- the way there ----------------------------------------------------------------------------

    def _begin(self) -> None:
        """From the name on: what it leads to may have changed."""
        self._next = None
        self._targets.clear()
        self._reach()

    def _reach(self) -> None:
        work = Deferred.fromCoroutine(self._find())
        self._work = work.addCallbacks(self._found, self._not_found).addErrback(self._broken)

    async def _find(self) -> Flow:
        stack, trunk = self._stack, self.trunk
        if not self._targets:
            found = await stack.locator.find(trunk.host, trunk.port, trunk.transport)
            self._targets.extend(found)
            self._hosts = {target.host for target in found}
        target = self._targets.popleft()
        opening = stack.flows.to(target.host, target.port, target.transport, target.name)
        return await opening.addTimeout(CONNECT_WITHIN, stack.clock)

    def _found(self, flow: Flow) -> None:
        self._use(flow)
        self._register(flow)

    def _not_found(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._unanswered(failure.getErrorMessage())

    def _broken(self, failure: Failure) -> None:
        failures.inc()
        self._log.failure("registering with {trunk} failed", failure, trunk=self.trunk.host)
        self._failed("an error of ours")

    def _use(self, flow: Flow | None) -> None:
        """The guard spares where we are registered: its calls and answers must get through."""
        before, self.flow = self.flow, flow
        if flow is not None:
            self._stack.guard.call_began(flow.peer[0])
        if before is not None:
            self._stack.guard.call_ended(before.peer[0])

    # -- REGISTER ---------------------------------------------------------------------------------

    def _register(self, flow: Flow) -> None:
        self._rounds = Rounds(self.trunk.login, self._stack.random)
        self._send(flow)

    def _refresh(self) -> None:
        self._next = None
        flow = self.flow
        if flow is not None and flow.open:
            self._register(flow)
        else:
            self._begin()

    def _send(self, flow: Flow) -> None:
        trunk, stack = self.trunk, self._stack
        self._cseq += 1
        ours = trunk.address(trunk.user)
        fields = (
            ("Max-Forwards", "70"),
            ("From", str(replace(ours, parameters={"tag": self._tag}))),
            ("To", str(ours)),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._cseq} REGISTER"),
            ("Contact", self._contact(flow)),
            ("Expires", str(self._expires if self._left is None else 0)),
            ("User-Agent", stack.settings.user_agent),
            *self._rounds.fields,
        )
        self._request = Request("REGISTER", str(trunk.uri()), Headers(fields))
        stack.transactions.send(self._request, flow, self)

    def _contact(self, flow: Flow) -> str:
        contact = Address.parse(self._stack.contact(flow))
        return str(replace(contact, uri=replace(contact.uri, user=self.token)))

    # -- ClientUser -------------------------------------------------------------------------------

    def response_received(self, response: Response, flow: Flow) -> None:
        request, way = self._request, self.flow
        if response.status < 200 or request is None or response.cseq[0] != request.cseq[0]:
            return
        self._request = None
        if way is not None and self._rounds.met(request, response):
            self._send(way)
        elif self._left is not None:
            self._gone()
        elif response.status < 300:
            registers.inc("accepted")
            self._granted(response)
        elif way is not None and response.status == 423 and self._raised(response):
            self._register(way)
        elif response.status == 503 and self._targets:
            self._unanswered("503")
        else:
            registers.inc("refused")
            self._failed(
                f"{response.status} {printable(response.phrase)}",
                _seconds(response.headers.get("Retry-After").partition(";")[0].partition("(")[0]),
            )

    def request_failed(self, reason: str) -> None:
        self._request = None
        if self._left is not None:
            self._gone()
        else:
            self._unanswered("no answer" if reason == "timeout" else reason)

    def _granted(self, response: Response) -> None:
        self._tries = self._raises = 0
        self._keep_alive()
        seconds = self._granted_for(response)
        # Before it runs out, with time for a repetition or two.
        self._next = self._stack.clock.callLater(seconds - max(5.0, seconds / 10), self._refresh)
        self._be("registered", f"for {seconds} s")

    def _granted_for(self, response: Response) -> int:
        """Of our Contact, else of the response; what makes no sense is bounded."""
        granted = _seconds(response.headers.get("Expires"))
        for value in response.headers.values("Contact"):
            try:
                contact = Address.parse(value)
            except RemoteProtocolError:
                continue
            if contact.uri.user == self.token:
                own = _seconds(contact.parameters.get("expires", ""))
                granted = granted if own is None else own
        return min(max(self._expires if granted is None else granted, SHORTEST), LONGEST)

    def _raised(self, response: Response) -> bool:
        """423: they want to be asked less often (10.3, step 7)."""
        wanted = _seconds(response.headers.get("Min-Expires"))
        self._raises += 1
        if wanted is None or not self._expires < wanted <= LONGEST or self._raises > MOST_RAISES:
            return False
        self._expires = wanted
        return True

    # -- failures ---------------------------------------------------------------------------------

    def _unanswered(self, why: str) -> None:
        """Another address may do at once."""
        registers.inc("unanswered")
        if self._targets:
            self._reach()
        else:
            self._failed(why)

    def _failed(self, why: str, after: int | None = None) -> None:
        self._use(None)
        self._stop_pings()
        self._be("failed", why)
        pause = min(BACK_OFF * 2 ** min(self._tries, 10), LONGEST_BACK_OFF)
        pause = max(pause, min(float(after or 0), LONGEST_BACK_OFF))
        self._tries += 1
        pause *= 1 + JITTER * (2 * self._stack.random.random() - 1)
        self._next = self._stack.clock.callLater(pause, self._begin)

    def _be(self, state: str, why: str) -> None:
        if state == self.state:
            return
        self.state = state
        log = self._log.info if state == "registered" else self._log.warn
        log(
            "the registration of {user} with {trunk} is {state}: {why}",
            user=self.trunk.user,
            trunk=self.trunk.host,
            state=state,
            why=why,
        )
        self._changed()

    # -- keeping the way open ---------------------------------------------------------------------

    def _keep_alive(self) -> None:
        self._stop_pings()
        self._ping = self._stack.clock.callLater(KEEP_ALIVE, self._pinged)

    def _pinged(self) -> None:
        self._ping = None
        flow = self.flow
        if flow is None:
            return
        if flow.open:
            flow.send(PING)
            self._keep_alive()
        elif self._request is None:
            # The connection has gone, and with it the way by which calls come.
            self._stop_next()
            self._begin()

    # -- the end ----------------------------------------------------------------------------------

    def _gone(self) -> None:
        self._quiet()
        self._use(None)
        self._request = None
        left = self._left
        if left is not None and not left.called:
            left.callback(None)

    def _quiet(self) -> None:
        self._stop_next()
        self._stop_pings()
        if self._work is not None:
            self._work.cancel()

    def _stop_next(self) -> None:
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = None

    def _stop_pings(self) -> None:
        if self._ping is not None and self._ping.active():
            self._ping.cancel()
        self._ping = None


def _seconds(text: str) -> int | None:
    text = text.strip()
    return int(text) if _SECONDS.fullmatch(text) else None


_conforms: type[ClientUser] = TrunkRegistration
