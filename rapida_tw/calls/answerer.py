"""Answerer: who has picked up a call of ours, and what is done when it is a machine.

The carrier tells it after some seconds of listening: first that it is a machine, later (where that
was asked for) that the machine's greeting is over. Until then nothing is said into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from rapida_tw.errors import MACHINE, BadRequest, End
from rapida_tw.pipeline.reply import Say

OPTION = "machine_detection"
MESSAGE = "machine_message"
OFF, REPORT, HANG_UP, LEAVE = "off", "report", "hangup", "message"
_WORDS: Final = (OFF, REPORT, HANG_UP, LEAVE)
_MACHINES: Final = frozenset(("machine", "beep", "silence", "fax"))
_TIME_TO_SPEAK: Final = frozenset(("beep", "silence"))


@dataclass(frozen=True, slots=True)
class MachinePolicy:
    """What the options of a deployment or a call say. `message` is rendered."""

    action: str = OFF
    message: str = ""

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> MachinePolicy:
        """`BadRequest` for what it cannot be."""
        action = str(options.get(OPTION) or OFF).lower()
        message = str(options.get(MESSAGE) or "")
        if action not in _WORDS:
            raise BadRequest(f"options: {OPTION} must be one of {', '.join(_WORDS)}")
        if action == LEAVE and not message:
            raise BadRequest(f'options: {OPTION} "{LEAVE}" needs {MESSAGE}')
        return cls(action, message)

    @property
    def detection(self) -> str:
        """As of `Order`."""
        return {OFF: "", LEAVE: "end"}.get(self.action, "start")


class Answering(Protocol):
    """What an answerer does to its call."""

    def quiet(self, quiet: bool) -> None:
        """Neither speak nor listen; or both again."""

    def close_with(self, job: Say) -> None:
        """Say it, and end."""

    def end(self, end: End) -> None: ...
    def answered_by(self, verdict: str) -> None:
        """For the history."""


class Answerer:
    """Of one call."""

    def __init__(self, policy: MachinePolicy, call: Answering) -> None:
        self._policy = policy
        self._call = call
        self._done = False
        self._waiting = False  # for the end of the machine's greeting

    def told(self, verdict: str) -> None:
        """Callbacks may come twice, and a fax after all; the first machine decides."""
        self._call.answered_by(verdict)
        if self._done or verdict not in _MACHINES:
            self._listen_again(verdict)
            return
        if self._policy.action == HANG_UP or (verdict == "fax" and self._policy.action == LEAVE):
            self._done = True
            self._call.end(MACHINE.because(f"answered by {verdict}"))
        elif self._policy.action == LEAVE:
            self._leave(verdict)

    def _leave(self, verdict: str) -> None:
        if verdict in _TIME_TO_SPEAK:
            self._done = True
            if self._waiting:
                self._call.quiet(False)
            message = Say(self._policy.message, "message", False, MACHINE.because("message left"))
            self._call.close_with(message)
        elif not self._waiting:
            self._waiting = True
            self._call.quiet(True)

    def _listen_again(self, verdict: str) -> None:
        """It was taken for a machine, and is a person."""
        if self._waiting and not self._done and verdict == "human":
            self._waiting = False
            self._call.quiet(False)
