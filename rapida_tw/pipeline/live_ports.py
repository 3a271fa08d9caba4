"""What a LiveConversation tells its call, and what it asks of its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.errors import End
from rapida_tw.pipeline.listen import Turn
from rapida_tw.pipeline.live_speaker import Told
from rapida_tw.pipeline.reply import Say


class LiveEvents(Told, Protocol):
    """What a LiveConversation tells its call, as Conversation and Replier do."""

    def user_said(self, turn: Turn) -> None: ...
    def tool_used(self, name: str, result: str) -> None: ...
    def happened(self, name: str, detail: str = "") -> None: ...
    def over(self, end: End) -> None: ...


# Gives a Deferred time, and tells why it failed.
Wait = Callable[[Deferred[None], Callable[[Exception], None]], None]


class OtherVoice(Protocol):
    """The deployment's own, for when the model's is lost (pipeline/apology.py)."""

    def say(self, job: Say, over: Callable[[], None]) -> None: ...
    def stop(self) -> None: ...
