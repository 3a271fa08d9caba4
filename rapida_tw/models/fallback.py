"""ModelChain: several models as one; when one fails before its first word, the next is asked.

What has been said cannot be taken back, so a model that fails after that has failed the reply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rapida_tw.cancellable import cancellable
from rapida_tw.errors import VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.models.base import Completion, Message, Model, Tool
from rapida_tw.roster import Member, Roster, TooSlow
from rapida_tw.sickness import Sickness

# Seconds for the first word (or for the whole run, when it is one of tools alone), where there is
# somebody else to ask.
FIRST_WITHIN = 3.5


class ModelChain:
    """One call's model. Whoever has helped out goes on thinking."""

    _log = Logger()

    def __init__(
        self,
        members: Sequence[Member[Model]],
        sickness: Sickness,
        clock: IReactorTime,
        first_token_within: float = FIRST_WITHIN,
    ) -> None:
        self._roster = Roster("llm", members, sickness)
        self._clock = clock
        self._within = first_token_within
        self._member: Member[Model] | None = None
        self._model: Model | None = None  # the member's
        self._opened = 0.0
        self._replying: Deferred[Completion] | None = None

    def prepare(self) -> None:
        model = self._first()
        if model is not None:
            model.prepare()

    def opening(self) -> Expectation | None:
        model = self._first()
        return model.opening() if model is not None else None

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Deferred[Completion]:
        self._replying = Deferred.fromCoroutine(self._reply(messages, tools, say))
        return self._replying

    async def _reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Completion:
        self._roster.begin()
        # After a tool there may be nothing to add; else a model that answers nothing has failed.
        may_be_silent = bool(messages) and messages[-1].role == "tool"
        while (member := self._roster.choose()) is not None:
            model = self._open(member)
            if model is None:
                continue
            run = _Run(self._clock, say)
            try:
                thinking = run.over(model.reply(messages, tools, run.say))
                if self._roster.others(member):
                    run.hurry(self._within)
                completion = await thinking
                if not (completion.text.strip() or completion.tool_calls or may_be_silent):
                    raise VendorFailed("it answered nothing")
            except CancelledError:
                if not run.late:
                    raise
                self._failed(member, TooSlow(f"it gave no word within {self._within:g} s"))
            except Exception as error:
                self._failed(member, error)
                if run.said:
                    raise
            else:
                self._roster.worked(member, self._opened)
                return completion
            finally:
                run.close()
        raise self._roster.exhausted()

    def stop(self) -> Deferred[None]:
        if self._replying is not None:
            self._replying.cancel()
        return self._dismiss()

    # -- who thinks -------------------------------------------------------------------------------

    def _first(self) -> Model | None:
        """Who would be asked now; None when nobody can be opened."""
        while (member := self._roster.choose()) is not None:
            model = self._open(member)
            if model is not None:
                return model
        return None

    def _open(self, member: Member[Model]) -> Model | None:
        """The model of who was chosen; None when it cannot be opened: choose again."""
        if self._member is member and self._model is not None:
            return self._model
        try:
            model = member.open()
        except Exception as error:
            self._roster.failed(member, error)
            return None
        self._member, self._model = member, model
        self._opened = self._clock.seconds()
        self._roster.use(member)
        return model

    def _failed(self, member: Member[Model], error: Exception) -> None:
        self._roster.failed(member, error)
        self._dismiss()

    def _dismiss(self) -> Deferred[None]:
        model, self._model, self._member = self._model, None, None
        if model is None:
            return succeed(None)
        stopping: Deferred[None] = maybeDeferred(model.stop)
        return stopping.addErrback(lambda failure: self._log.failure("stopping a model", failure))


class _Run:
    """One member's try at a reply."""

    def __init__(self, clock: IReactorTime, say: Callable[[str], None]) -> None:
        self._clock = clock
        self._say = say
        self._open = True
        self._thinking: Deferred[Completion] | None = None
        self._timer: IDelayedCall | None = None
        self.said = False
        self.late = False

    def over(self, thinking: Deferred[Completion]) -> Deferred[Completion]:
        """The same, to be waited for."""
        self._thinking = cancellable(thinking)
        return self._thinking

    def hurry(self, seconds: float) -> None:
        """Cancel it unless it has said something by then."""
        self._timer = self._clock.callLater(seconds, self._expired)

    def say(self, delta: str) -> None:
        if self._open:
            self.said = self.said or bool(delta.strip())
            self._say(delta)

    def close(self) -> None:
        """What it still writes is nobody's."""
        self._open = False
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _expired(self) -> None:
        if not self.said and self._thinking is not None:
            self.late = True
            self._thinking.cancel()


_conforms: type[Model] = ModelChain
