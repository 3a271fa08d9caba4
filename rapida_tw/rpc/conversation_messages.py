"""Conversations and their messages as the contract has them (its sections 5 and 7)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from rapida_tw.rpc.answers import stamp
from rapida_tw.rpc.messages.shared_pb2 import (
    Argument,
    AssistantConversation,
    AssistantConversationMessage,
    AssistantConversationRecording,
    AssistantConversationTelephonyEvent,
    Metadata,
    Metric,
)
from rapida_tw.rpc.values import to_struct
from rapida_tw.store.records import Conversation, Entry, Message

_RECORDING = "/v1/conversations/{id}/recording.wav"
# Events that tell of the carrier, by the family of their names.
_TELEPHONY = frozenset(("call", "status", "stream", "recording", "machine", "transfer"))
_CUT_OFF = 1_000  # sub-items of one kind


def conversation_message(
    conversation: Conversation, selectors: Collection[str] = ()
) -> AssistantConversation:
    """Metrics, metadata, arguments and options always, as far as there are entries.

    `selectors` asks for recordings and events of the carrier besides.
    """
    entries = conversation.entries
    message = AssistantConversation(
        id=conversation.id,
        assistantId=conversation.assistant_id,
        projectId=conversation.project_id,
        organizationId=conversation.project_id,
        source=conversation.source,
        identifier=conversation.identifier,
        status=conversation.status.upper(),
        direction=conversation.direction,
        createdDate=stamp(conversation.created),
        updatedDate=stamp(conversation.updated),
        metrics=[metric(one) for one in newest(entries, "metric")],
        metadata=[Metadata(key=one.name, value=one.value) for one in newest(entries, "metadata")],
        arguments=[Argument(name=one.name, value=one.value) for one in newest(entries, "argument")],
        options=[Metadata(key=one.name, value=one.value) for one in newest(entries, "option")],
    )
    if "recording" in selectors and any(one.kind == "recording" for one in entries):
        message.recordings.append(_recording(conversation.id))
    if "telephonyEvent" in selectors:
        message.telephonyEvents.extend(_telephony_events(conversation))
    return message


def message_message(
    found: Message, metrics: Collection[Metric] = ()
) -> AssistantConversationMessage:
    """`messageId` names it to `CreateMessageMetric`."""
    return AssistantConversationMessage(
        id=found.id,
        assistantConversationId=found.conversation_id,
        assistantId=found.assistant_id,
        messageId=message_id(found),
        role=found.role,
        body=found.text,
        source=found.source,
        status="COMPLETE",
        metrics=metrics,
        metadata=_data_pairs(found.data),
        createdDate=stamp(found.at),
        updatedDate=stamp(found.at),
    )


def message_id(found: Message) -> str:
    """What the conversation itself calls the message; else its number."""
    return str(found.data.get("messageId") or found.id)


def metric(entry: Entry) -> Metric:
    return Metric(
        name=entry.name, value=entry.value, description=str(entry.data.get("description", ""))
    )


def newest(entries: Collection[Entry], kind: str) -> list[Entry]:
    """The last of each name, in the order of the first; those of single messages left out."""
    found = {one.name: one for one in entries if one.kind == kind and "messageId" not in one.data}
    return list(found.values())[:_CUT_OFF]


def _data_pairs(data: Any) -> list[Metadata]:
    return [Metadata(key=str(key), value=str(value)) for key, value in data.items()]


def _recording(conversation_id: int) -> AssistantConversationRecording:
    """Paths on this server, which knows no better than its client under which host it is seen."""
    stereo = _RECORDING.format(id=conversation_id)
    return AssistantConversationRecording(
        id=conversation_id,
        assistantRecordingUrl=f"{stereo}?track=assistant",
        userRecordingUrl=f"{stereo}?track=user",
        conversationRecordingUrl=stereo,
    )


def _telephony_events(conversation: Conversation) -> Iterator[AssistantConversationTelephonyEvent]:
    found = [
        one
        for one in conversation.entries
        if one.kind == "event" and one.name.partition(".")[0] in _TELEPHONY
    ]
    for number, entry in enumerate(found[-_CUT_OFF:], 1):
        yield AssistantConversationTelephonyEvent(
            id=number,
            assistantConversationId=conversation.id,
            provider=conversation.carrier,
            eventType=entry.name,
            payload=to_struct(entry.data),
            createdDate=stamp(entry.at),
            updatedDate=stamp(entry.at),
        )
