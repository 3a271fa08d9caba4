"""/v1/conversations: the history of calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rapida_tw.store.documents import timestamp
from rapida_tw.store.records import Conversation, ConversationStore, Entry
from rapida_tw.web.answers import Answer
from rapida_tw.web.api import Api, Ask, read_id
from rapida_tw.web.criteria import PARAMETERS, asked_order, read_criteria
from rapida_tw.web.openapi_schemas import ID_IN_PATH
from rapida_tw.web.operation import Operation, Parameter, ref
from rapida_tw.web.route import Route

PATH = "/v1/conversations"
TAG = "Conversations"
_LIST = Operation(
    "listConversations",
    "History, newest first.",
    TAG,
    ref("Conversation"),
    parameters=(
        Parameter("assistantId", ID_IN_PATH, "Of this assistant only."),
        *PARAMETERS,
    ),
    paged=True,
)
_SHOW = Operation(
    "getConversation", "All that is remembered of a call.", TAG, ref("WholeConversation")
)
_LATENCY = "turn.latency"  # the metric that a call writes for each answered turn
_LATENCY_PARTS = ("total", "endpointing", "recognizer", "model", "voice", "playout")


class Conversations:
    """Lists without entries, and each conversation with all of them."""

    def __init__(self, store: ConversationStore) -> None:
        self._store = store

    def routes(self, api: Api) -> Iterator[Route]:
        yield Route("GET", PATH, api(self.list), operation=_LIST)
        yield Route("GET", f"{PATH}/<conversation_id>", api(self.show), operation=_SHOW)

    async def list(self, ask: Ask) -> Answer:
        """Newest first; `?assistantId`, `?criteria` and fields of the summary choose."""
        number, size = ask.page()
        query = ask.request.query
        assistant_id = read_id(query["assistantId"]) if "assistantId" in query else None
        page = await self._store.page(
            ask.project_id, number, size, assistant_id, read_criteria(query), asked_order(query)
        )
        return Answer([summary(conversation) for conversation in page.items], page)

    async def show(self, ask: Ask, conversation_id: int) -> Answer:
        return Answer(whole(await self._store.get(conversation_id, ask.project_id)))


def summary(conversation: Conversation) -> dict[str, Any]:
    """`duration` in seconds, null before the end."""
    return {
        "id": str(conversation.id),
        "projectId": str(conversation.project_id),
        "assistantId": str(conversation.assistant_id),
        "identifier": conversation.identifier,
        "source": conversation.source,
        "direction": conversation.direction,
        "carrier": conversation.carrier,
        "status": conversation.status,
        "endReason": conversation.end_reason,
        "duration": conversation.duration,
        "createdDate": timestamp(conversation.created),
        "updatedDate": timestamp(conversation.updated),
    }


def whole(conversation: Conversation) -> dict[str, Any]:
    """The summary with everything that was remembered, in order."""
    entries = conversation.entries
    return summary(conversation) | {
        "messages": [
            {"role": entry.name, "text": entry.value, **_common(entry)}
            for entry in entries
            if entry.kind == "message"
        ],
        "metrics": [
            {"name": entry.name, "value": entry.value, **_common(entry)}
            for entry in entries
            if entry.kind == "metric"
        ],
        "events": [
            {"name": entry.name, **_common(entry)} for entry in entries if entry.kind == "event"
        ],
        "metadata": {entry.name: entry.value for entry in entries if entry.kind == "metadata"},
        "latency": [_latency(entry) for entry in entries if entry.name == _LATENCY],
        **_links(conversation),
    }


def recording_name(conversation: Conversation) -> str:
    """The file of the newest recording, without a path; "" when there is none."""
    names = [entry.value for entry in conversation.entries if entry.kind == "recording"]
    return names[-1] if names else ""


def _common(entry: Entry) -> dict[str, Any]:
    return {"data": dict(entry.data), "createdDate": timestamp(entry.at)}


def _latency(entry: Entry) -> dict[str, Any]:
    """Milliseconds from the end of the caller's turn to the first sample, and their parts."""
    seconds = {part: entry.data.get(part) for part in _LATENCY_PARTS}
    parts = {
        part: round(1000 * value, 1)
        for part, value in seconds.items()
        if isinstance(value, int | float)
    }
    return {"turn": entry.data.get("turn"), "unit": "ms", **parts}


def _links(conversation: Conversation) -> dict[str, Any]:
    """Paths on this server, which knows no better than its client under which host it is seen."""
    if not recording_name(conversation):
        return {"recordings": {}, "timeline": None}
    here = f"{PATH}/{conversation.id}"
    recording = f"{here}/recording.wav"
    tracks = {track: f"{recording}?track={track}" for track in ("user", "assistant")}
    return {"recordings": {"stereo": recording, **tracks}, "timeline": f"{here}/timeline.png"}
