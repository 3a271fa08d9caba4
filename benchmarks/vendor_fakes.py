"""Fakes of a recogniser, a model and a voice in one process: `python -m benchmarks.vendor_fakes`.

Prints its port as a line of JSON. Whatever a caller says is the same question, with one answer.
"""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from rapida_tw.sim.vendors.deepgram import Deepgram
from rapida_tw.sim.vendors.elevenlabs_voice import ElevenLabs
from rapida_tw.sim.vendors.openai_chat import OpenAIChat
from rapida_tw.sim.vendors.port import VendorPort

KEY = "key-of-a-benchmark"
QUESTION = "what are your opening hours"
ANSWER = "We are open every day from nine to six."
_MOST = 50_000  # turns


def serve(reactor: Any) -> Deferred[None]:
    """Until a signal comes."""
    port = VendorPort(
        reactor,
        Deepgram([QUESTION] * _MOST, KEY),
        OpenAIChat([ANSWER] * _MOST, KEY),
        ElevenLabs(KEY),
    )
    print(json.dumps({"port": port.start()}), flush=True)
    return Deferred()


if __name__ == "__main__":
    react(serve)
