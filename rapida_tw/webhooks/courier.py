"""Courier: takes what is due from the queue, sends it, and writes down what came of it.

At least once: who dies between the receiver's answer and the note of it sends it again, with the
same event id.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred, DeferredList, TimeoutError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.cancellable import cancellable
from rapida_tw.errors import CallError, NotFound, Unavailable, VendorFailed
from rapida_tw.metrics import Counter, Histogram
from rapida_tw.net.base import Answer, Net, Request
from rapida_tw.store.deliveries import FAILED, Attempt, Deliveries, Delivery
from rapida_tw.store.records import ConversationStore, CredentialStore
from rapida_tw.store.states import FINAL
from rapida_tw.store.webhook_documents import MOST_RETRIES, Webhook, webhook
from rapida_tw.webhooks.attempt import Verdict, judged, request, unanswered
from rapida_tw.webhooks.events import COMPLETED, completed_data
from rapida_tw.webhooks.receiver import EACH, MOST, Receivers
from rapida_tw.webhooks.signature import living

EVERY = 2.0  # seconds between looks, when nothing calls for one: other processes write too
_SHORTEST = 0.05  # seconds between looks, but where something has come meanwhile
LEASE = 90.0  # seconds that a claim lasts: the longest attempt takes 60
NOT_READY = 30.0  # seconds until a delivery whose secret cannot be opened is tried again
WRITTEN_WITHIN = 30.0  # seconds for the end of a conversation to be in the history
LONGEST_ANSWER = 4_096  # bytes that are read
KEPT_ANSWER = 1_000  # characters of it that are kept
SWEEP_EVERY = 3_600.0  # seconds
_DAY = 86_400.0

sent = Counter("rapida_webhook_attempts_total", "Requests to webhooks.", ("outcome",))
took = Histogram(
    "rapida_webhook_attempt_seconds", "How long they took.", (0.05, 0.2, 1.0, 5.0, 20.0, 60.0)
)


class Courier:
    """One a worker. `timeout`: seconds that a receiver has, where its webhook says nothing."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        deliveries: Deliveries,
        credentials: CredentialStore,
        conversations: ConversationStore,
        net: Net,
        now: Callable[[], float],
        timeout: float,
        keep_days: float,
        every: float = EVERY,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._deliveries = deliveries
        self._credentials = credentials
        self._conversations = conversations
        self._net = net
        self._now = now
        self._timeout = timeout
        self._keep = keep_days * _DAY
        self._every = every
        self._spread = spread
        self._receivers = Receivers()
        self._running: set[Deferred[None]] = set()
        self._busy = False  # it is looking
        self._looking: Deferred[None] | None = None
        self._again = False  # something came while it was looking
        self._timer: IDelayedCall | None = None
        self._open = False
        self._later: float | None = None  # when the next one is due
        self._swept = float("-inf")

    async def start(self) -> None:
        """What the last run of this worker had begun is its own again."""
        count = await self._deliveries.release()
        if count:
            self._log.info("webhooks: {count} deliveries are sent again", count=count)
        self._open = True
        self.look()

    def look(self) -> None:
        """There may be something to send."""
        if not self._open:
            return
        if self._busy:
            self._again = True
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._again, self._busy = False, True
        self._looking = Deferred.fromCoroutine(self._look())
        self._looking.addErrback(self._failed)
        self._looking.addBoth(self._looked)

    async def _look(self) -> None:
        await self._sweep()
        while self._open and (free := MOST - len(self._receivers)) > 0:
            room = self._receivers.room
            full = [host for host, left in room.items() if left <= 0]
            found = await self._deliveries.look(full)
            self._later = found.later
            if not found.due:
                return
            claimed = await self._deliveries.claim(LEASE, room, EACH, free)
            for delivery in claimed:
                self._begin(delivery)
            if not claimed:
                return

    async def _sweep(self) -> None:
        now = self._now()
        if now - self._swept >= SWEEP_EVERY and not await self._deliveries.sweep(now - self._keep):
            self._swept = now

    def _failed(self, failure: Failure) -> None:
        if failure.check(Unavailable):
            self._log.debug("webhooks wait for the database")
        else:
            self._log.failure("webhooks could not be looked for", failure)

    def _looked(self, _: object) -> None:
        self._looking, self._busy = None, False
        if self._open:
            self._timer = self._clock.callLater(self._pause(), self._wake)

    def _pause(self) -> float:
        """Seconds until the next look."""
        if self._again:
            return 0.0
        if self._later is None:
            return self._every
        return min(self._every, max(_SHORTEST, self._later - self._now()))

    def _wake(self) -> None:
        self._timer = None
        self.look()

    # -- one delivery -----------------------------------------------------------------------------

    def _begin(self, delivery: Delivery) -> None:
        self._receivers.began(delivery.host)
        sending = Deferred.fromCoroutine(self._deliver(delivery))
        self._running.add(sending)
        sending.addErrback(self._not_delivered, delivery)
        sending.addBoth(self._ended, delivery, sending)

    def _not_delivered(self, failure: Failure, delivery: Delivery) -> Deferred[None] | None:
        """Its claim ends by itself, and it is tried again; what always fails so, not for ever."""
        if failure.check(CancelledError, Unavailable):
            return None
        self._log.failure("webhook delivery {id} failed", failure, id=delivery.id)
        if delivery.attempts < MOST_RETRIES:
            return None
        giving_up = Deferred.fromCoroutine(self._give_up(delivery, "it fails on this server"))
        return giving_up.addErrback(lambda again: self._failed(again))

    def _ended(self, _: object, delivery: Delivery, sending: Deferred[None]) -> None:
        self._receivers.ended(delivery.host)
        self._running.discard(sending)
        self.look()

    async def _deliver(self, delivery: Delivery) -> None:
        """`Unavailable` when it cannot be written down."""
        found = webhook(delivery.webhook)
        if found is None or found.credential_id is None:
            await self._give_up(delivery, "the webhook has no secret: save its assistant again")
            return
        now = self._now()
        if delivery.event == COMPLETED and "messages" not in delivery.body["data"]:
            whole = await self._completed(delivery, now)
            if whole is None:
                return
            delivery = whole
        try:
            value = await self._credentials.secrets(found.credential_id, delivery.project_id)
        except NotFound:
            await self._give_up(delivery, "its secret is gone: the webhook was taken away")
            return
        except CallError as error:
            if now - delivery.created > self._keep:
                await self._give_up(delivery, str(error))
                return
            self._log.warn("webhook delivery {id} waits: {why}", id=delivery.id, why=error)
            await self._deliveries.put_back(delivery, now + NOT_READY)
            return
        secrets = living(value, now)
        if not secrets:
            await self._give_up(delivery, "its credential has no secret")
            return
        await self._send(delivery, found, request(delivery, found, value, secrets, int(now)))

    async def _completed(self, delivery: Delivery, now: float) -> Delivery | None:
        """With all that was said; None: put back, the history is not written yet, or gone."""
        try:
            conversation = await self._conversations.get(
                delivery.conversation_id, delivery.project_id
            )
        except NotFound:
            await self._give_up(delivery, "the conversation is gone")
            return None
        if conversation.status not in FINAL and now - delivery.created < WRITTEN_WITHIN:
            await self._deliveries.put_back(delivery, now + 1.0)
            return None
        data = completed_data(delivery.body["data"], conversation)
        body = {**delivery.body, "data": data}
        await self._deliveries.fill(delivery, body)
        return replace(delivery, body=body)

    async def _send(self, delivery: Delivery, found: Webhook, asked: Request) -> None:
        began, at, number = self._clock.seconds(), self._now(), delivery.attempts + 1
        seconds = found.timeout or self._timeout
        status, response = 0, ""
        exchange = cancellable(Deferred.fromCoroutine(self._exchange(asked)))
        try:
            status, headers, response = await exchange.addTimeout(seconds, self._clock)
            verdict = judged(found, number, status, headers, self._spread())
        except TimeoutError:
            late = VendorFailed(f"no answer within {seconds:g} s")
            verdict = unanswered(found, number, late, self._spread())
        except VendorFailed as error:
            verdict = unanswered(found, number, error, self._spread())
        except CancelledError:
            await self._deliveries.put_back(delivery, self._now())
            raise
        self._receivers.answered(delivery.host, status > 0)
        passed = self._clock.seconds() - began
        took.observe(passed)
        attempt = Attempt(at, status, verdict.error, round(passed, 3), response[:KEPT_ANSWER])
        await self._settle(delivery, attempt, verdict)

    async def _exchange(self, asked: Request) -> tuple[int, dict[str, str], str]:
        answer: Answer = await self._net.request(asked)
        try:
            text = await answer.text(LONGEST_ANSWER)
        except VendorFailed:
            text = ""  # the answer was in its head
        return answer.status, dict(answer.headers), text

    async def _settle(self, delivery: Delivery, attempt: Attempt, verdict: Verdict) -> None:
        sent.inc(verdict.state)
        due = self._now() + verdict.pause
        await self._deliveries.settle(delivery, attempt, verdict.state, due)
        if verdict.gone:
            reason = "the receiver answered 410 Gone"
            await self._deliveries.disable(delivery, reason)
        if verdict.error:
            self._log.info(
                "webhook {event} of assistant {assistant} to {host}: {why}, {state}",
                event=delivery.event,
                assistant=delivery.assistant_id,
                host=delivery.host,
                why=verdict.error,
                state=verdict.state,
            )

    async def _give_up(self, delivery: Delivery, why: str) -> None:
        attempt = Attempt(self._now(), 0, why, 0.0, "")
        await self._settle(delivery, attempt, Verdict(FAILED, why))

    # -- the end ----------------------------------------------------------------------------------

    async def stop(self, within: float) -> None:
        """Send what is due for so many seconds more; the rest is for the next start."""
        if self._open:
            self.look()
        if self._looking is not None:
            self._looking.addTimeout(within, self._clock)
            await self._looking
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        running = list(self._running)
        if running:
            ending = DeferredList([_after(one) for one in running])
            timer = self._clock.callLater(within, self._cancel)
            await ending
            if timer.active():
                timer.cancel()

    def _cancel(self) -> None:
        for one in tuple(self._running):
            one.cancel()


def _after(deferred: Deferred[None]) -> Deferred[None]:
    """Fires when that one has, whatever became of it; cancelling it cancels nothing."""
    fired: Deferred[None] = Deferred()

    def done(result: object) -> object:
        fired.callback(None)
        return result

    deferred.addBoth(done)
    return fired
