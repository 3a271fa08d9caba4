"""Hold in a live conversation: the model hears no more; what it says is kept, or cut off."""

from __future__ import annotations

from rapida_tw.errors import End
from rapida_tw.pipeline.hold import Fate, end_of, on_hold
from rapida_tw.pipeline.live_speaker import LiveSpeaker
from rapida_tw.pipeline.live_tools import LiveTools
from rapida_tw.pipeline.reply import Job


def put_on_hold(speaker: LiveSpeaker, tools: LiveTools, waiting: list[Job]) -> End | None:
    """What is to be said again goes to the front of `waiting`; the call's end, if it was near."""
    job = speaker.job
    if job is None:
        return None
    if (end := end_of(job)) is not None:
        return end
    fate = on_hold(job, speaker.waited_for)
    if fate is not Fate.KEPT:
        if fate is Fate.AGAIN:
            waiting.insert(0, job)
        speaker.cut()
        tools.cut()
    return None
