"""Experience: how a deployment wants its calls to feel. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Experience:
    """What the conversation needs of a phone deployment; texts are ready to be spoken."""

    greeting: str = ""
    greeting_interruptible: bool = True
    error_message: str = "Sorry, I am having trouble right now. Please say that again."
    unclear_message: str = "I didn't catch that. Could you repeat that?"
    idle_timeout: float = 30.0
    idle_message: str = "Are you there?"
    idle_retries: int = 2
    max_duration: float = 300.0
    fillers: tuple[str, ...] = ("One moment, please.", "I'm still working on that.")
