"""Verdict: whether all of the demo really happened. Nothing is taken on trust."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rapida_tw.demo.story import BOOKED
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.phone import Reason
from rapida_tw.store.records import Conversation
from rapida_tw.turns import ASSISTANT, CALLER
from rapida_tw.waveform import read_waveform

METRICS = ("call.duration", "call.talk_duration", "call.status", "call.disconnected_by")


def call_complaints(caller: Caller, conversation: Conversation, speaks: bool) -> Iterator[str]:
    """A sentence for each thing that did not happen; none when the call was as it should be."""
    entries = conversation.entries
    messages = [entry for entry in entries if entry.kind == "message"]
    values = {entry.name: entry.value for entry in entries if entry.kind == "metric"}
    said = [entry for entry in messages if entry.name == "assistant"]
    if not caller.heard or not any(entry.data.get("kind") == "greeting" for entry in said):
        yield "the caller did not hear the greeting"
    understood = [entry for entry in messages if entry.name == "user" and entry.value]
    if speaks and not any(entry.data.get("by") == "voice" for entry in understood):
        yield "nothing of what the caller said was understood"
    if not any(entry.data.get("by") == "keys" for entry in understood):
        yield "no key that the caller pressed arrived"
    if not any(BOOKED.search(entry.value) for entry in said):
        yield "the table was not booked"
    if speaks and "turn.latency" not in values:
        yield "no turn's latency was measured"
    missing = [name for name in METRICS if name not in values]
    if missing:
        yield f"the call has no {', '.join(missing)}"
    if caller.ending is None or caller.ending.reason is not Reason.SERVER_HUNG_UP:
        yield f"the assistant did not hang up: {caller.ending}"
    elif values.get("call.disconnected_by") != "assistant":
        yield f"the server says that the call ended otherwise: {conversation.end_reason}"


def recording_complaints(wav: Path, speaks: bool) -> Iterator[str]:
    """What is wrong with the recording: left the caller, right the assistant."""
    try:
        waveform = read_waveform(wav)
    except (OSError, ValueError) as error:
        yield f"the recording cannot be read: {error}"
        return
    if speaks and not waveform.sounds(CALLER):
        yield "the caller is not to be heard in the recording"
    if not waveform.sounds(ASSISTANT):
        yield "the assistant is not to be heard in the recording"
