"""StreamedModel: a model behind an HTTP API, asked in its dialect, spoken while it writes.

Its words are given away in the reactor turn in which they come. A failure before the first of them
may be made good by asking once more; what has been said cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from rapida_tw.errors import VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.metrics import Counter
from rapida_tw.models.attempt import Attempt
from rapida_tw.models.base import Completion, Message, Model, Tool
from rapida_tw.models.dialect import Dialect
from rapida_tw.net.base import Net

MOST_WAIT = 2.0  # seconds that a vendor may ask for; a caller does not wait longer
_PAUSE = 0.25  # seconds, for a server that failed
_LESSONS = 8  # requests in one reply that the dialect may write anew
# Too much, too soon: the same request again, at once, would be too much again.
_LIMITS = (408, 409, 425, 429)

failures = Counter(
    "rapida_model_failures_total",
    "Answers of models that failed, and what became of them: asked again, given up.",
    ("vendor", "outcome"),
)


class StreamedModel:
    """One call's model at one vendor."""

    _log = Logger()

    def __init__(self, net: Net, clock: IReactorTime, dialect: Dialect, vendor: str) -> None:
        self._net = net
        self._clock = clock
        self._dialect = dialect
        self._vendor = vendor
        self._attempts: list[Attempt] = []  # the latest one, and those whose body has not ended

    def prepare(self) -> None:
        """Nothing: the way out opens no connection but for a request.

        It keeps those of earlier calls, and a request that asks for nothing would count against
        the vendor's limits.
        """

    def opening(self) -> Expectation | None:
        return None

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Deferred[Completion]:
        return Deferred.fromCoroutine(self._reply(messages, tools, say))

    def stop(self) -> Deferred[None]:
        for attempt in self._attempts:
            attempt.abort()
        return succeed(None)

    async def _reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Completion:
        lessons, retries = _LESSONS, 1
        while True:
            attempt = Attempt(self._net, self._clock, self._dialect, self._vendor, say)
            self._attempts = [*(one for one in self._attempts if one.open), attempt]
            try:
                return await attempt.run(messages, tools)
            except VendorFailed as failure:
                if attempt.learned and lessons:
                    lessons -= 1
                    wait: float | None = 0.0
                else:
                    wait = _wait(failure, attempt) if retries else None
                    retries = 0
                failures.inc(self._vendor, "given up" if wait is None else "asked again")
                if wait is None:
                    raise
                self._log.warn("{reason}; asking again", reason=str(failure))
            if wait:
                await deferLater(self._clock, wait)


def _wait(failure: VendorFailed, attempt: Attempt) -> float | None:
    """Seconds before another attempt; None when it is not worth one."""
    if attempt.said or attempt.late or not failure.retryable:
        return None
    after = failure.retry_after
    if after is None:
        if failure.code in _LIMITS:
            return None
        return _PAUSE if failure.code else 0.0
    return after if after < MOST_WAIT else None


_conforms: type[Model] = StreamedModel
