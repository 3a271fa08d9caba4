"""The floor: the machine of a Conversation; its state *replying* owns the reply's Deferred."""

from __future__ import annotations

from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred

from rapida_tw.pipeline.reply import Job


class Inputs(Protocol):
    """What happens to it."""

    def begin(self) -> None: ...
    def speak(self, job: Job) -> None: ...
    def interrupted(self) -> None: ...
    def replied(self) -> None: ...
    def finish(self) -> None: ...


class Talk(Protocol):
    """What it asks of the conversation."""

    def begin_reply(self, job: Job) -> Deferred[object]:
        """Never fails; cancelling it is the interruption."""

    def reply_over(self) -> None:
        """Nothing is being said any more; told before the reply is cancelled."""

    def later(self, job: Job) -> None:
        """It must wait for its turn."""

    def over(self) -> None:
        """The conversation has ended, once."""


_builder = TypeMachineBuilder(Inputs, Talk)  # type: ignore[type-abstract]


def _begin_reply(inputs: Inputs, talk: Talk, job: Job) -> Deferred[object]:
    return talk.begin_reply(job)


_starting = _builder.state("waiting")
_listening = _builder.state("listening")
_replying = _builder.state("replying", _begin_reply)
_ended = _builder.state("ended")

_starting.upon(Inputs.begin).to(_listening).returns(None)
_starting.upon(Inputs.interrupted).loop().returns(None)
_starting.upon(Inputs.replied).loop().returns(None)
_listening.upon(Inputs.speak).to(_replying).returns(None)
_listening.upon(Inputs.interrupted).loop().returns(None)
_listening.upon(Inputs.replied).loop().returns(None)
_ended.upon(Inputs.speak).loop().returns(None)
_ended.upon(Inputs.interrupted).loop().returns(None)
_ended.upon(Inputs.replied).loop().returns(None)
_ended.upon(Inputs.finish).loop().returns(None)


@_replying.upon(Inputs.replied).to(_listening)
def _over(inputs: Inputs, talk: Talk, reply: Deferred[object]) -> None:
    talk.reply_over()


@_replying.upon(Inputs.interrupted).to(_listening)
def _cut_off(inputs: Inputs, talk: Talk, reply: Deferred[object]) -> None:
    talk.reply_over()
    reply.cancel()  # every `finally` below it has run when this returns


@_replying.upon(Inputs.speak).loop()
def _later(inputs: Inputs, talk: Talk, reply: Deferred[object], job: Job) -> None:
    talk.later(job)


@_starting.upon(Inputs.speak).loop()
def _after_start(inputs: Inputs, talk: Talk, job: Job) -> None:
    talk.later(job)


@_starting.upon(Inputs.finish).to(_ended)
@_listening.upon(Inputs.finish).to(_ended)
def _finish(inputs: Inputs, talk: Talk) -> None:
    talk.over()


@_replying.upon(Inputs.finish).to(_ended)
def _finish_reply(inputs: Inputs, talk: Talk, reply: Deferred[object]) -> None:
    talk.reply_over()
    reply.cancel()
    talk.over()


floor = _builder.build()
