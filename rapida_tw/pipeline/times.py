"""Times: when things happened in a reply, and what the caller's wait was made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from rapida_tw.pipeline.listen import Turn


@dataclass(slots=True)
class Times:
    """Of one reply, in seconds on the call's clock; 0 = has not happened."""

    turn: Turn | None
    asked: float = 0.0  # the model was, for the first time
    answered: float = 0.0  # it began to, be it that it wanted a tool
    model: float = 0.0  # the model's first words
    voice: float = 0.0  # the voice's first samples
    played: float = 0.0  # the first frame was sent
    on_hold: bool = False  # for a part of the time nobody was waiting for it
    # Tokens of all runs of the model: input, output, and cached among the input.
    usage: dict[str, int] = field(default_factory=dict)

    def latency(self) -> dict[str, float]:
        """Seconds from the end of the caller's speech to the first sample, and its parts."""
        turn = self.turn
        if turn is None or turn.by_keys or not self.played or self.on_hold:
            return {}
        model = self.model or turn.recognized
        voice = self.voice or model
        return {
            "total": self.played - turn.speech_ended,
            "endpointing": turn.endpoint - turn.speech_ended,
            "recognizer": turn.recognized - turn.endpoint,
            "model": model - turn.recognized,
            "voice": voice - model,
            "playout": self.played - voice,
        }
