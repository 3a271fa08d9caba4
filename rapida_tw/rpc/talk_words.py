"""AssistantTalk's messages, out of the house's events and back (the contract, section 6.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rapida_tw.errors import BadRequest, CallError, End
from rapida_tw.messaging.visits import Visitor
from rapida_tw.models.base import ToolCall
from rapida_tw.rpc.answers import stamp
from rapida_tw.rpc.base import Caller
from rapida_tw.rpc.messages.talk_pb2 import (
    AssistantTalkResponse,
    ConversationAssistantMessage,
    ConversationConfiguration,
    ConversationDisconnection,
    ConversationError,
    ConversationInitialization,
    ConversationInterruption,
    ConversationToolCall,
    ConversationToolCallResult,
    ConversationUserMessage,
    StreamMode,
    ToolCallAction,
)
from rapida_tw.rpc.values import from_map

MOST: Final = 200  # values of metadata, arguments or options
_LONGEST: Final = 8_192  # characters of a value of the metadata
_LONGEST_ID: Final = 200

_D = ConversationDisconnection
_ENDS: Final[Mapping[str, _D.DisconnectionType]] = {
    "tool_ended": _D.DISCONNECTION_TYPE_TOOL,
    "transferred": _D.DISCONNECTION_TYPE_TOOL,
    "remote_hangup": _D.DISCONNECTION_TYPE_USER,
    "idle_timeout": _D.DISCONNECTION_TYPE_IDLE_TIMEOUT,
    "max_duration": _D.DISCONNECTION_TYPE_MAX_DURATION,
}
_ACTIONS: Final[Mapping[str, ToolCallAction]] = {
    "end_call": ToolCallAction.TOOL_CALL_ACTION_END_CONVERSATION,
    "transfer_call": ToolCallAction.TOOL_CALL_ACTION_TRANSFER_CONVERSATION,
}


def visitor(told: ConversationInitialization, caller: Caller) -> Visitor:
    """Who begins; `BadRequest` for what cannot be read."""
    if not told.assistant.assistantId:
        raise BadRequest("assistant.assistantId is missing")
    values = {name: _map(name, getattr(told, name)) for name in ("metadata", "args", "options")}
    identity = told.phone.phoneNumber or told.web.userId or caller.user_id
    return Visitor(
        caller.project_id,
        told.assistant.assistantId,
        caller.source,
        "".join(one for one in identity[:_LONGEST_ID] if one.isprintable()),
        told.assistantConversationId,
        {key: _text(value) for key, value in values["metadata"].items()},
        values["args"],
        values["options"],
    )


def _map(name: str, values: Any) -> dict[str, Any]:
    if len(values) > MOST:
        raise BadRequest(f"{name}: at most {MOST} values")
    try:
        return from_map(values)
    except BadRequest as error:
        raise BadRequest(f"{name}: {error}") from None


def _text(value: Any) -> str:
    return (value if isinstance(value, str) else str(value))[:_LONGEST]


class Words:
    """Makes the answers of one conversation; `now`: seconds since the epoch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def began(
        self, told: ConversationInitialization, conversation_id: int, mode: StreamMode
    ) -> bytes:
        """The client's own words with the conversation's id."""
        answer = ConversationInitialization()
        answer.CopyFrom(told)
        answer.assistantConversationId = conversation_id
        answer.streamMode = mode
        answer.time.CopyFrom(self._time())
        return _whole(initialization=answer)

    def configured(self, mode: StreamMode) -> bytes:
        return _whole(configuration=ConversationConfiguration(streamMode=mode))

    def assistant_text(self, turn: str, text: str, completed: bool) -> bytes:
        return _whole(
            assistant=ConversationAssistantMessage(
                id=turn, text=text, completed=completed, time=self._time()
            )
        )

    def assistant_audio(self, turn: str, audio: bytes) -> bytes:
        return _whole(assistant=ConversationAssistantMessage(id=turn, audio=audio))

    def user_text(self, turn: str, text: str) -> bytes:
        """What was understood of the user's speech."""
        return _whole(
            user=ConversationUserMessage(id=turn, text=text, completed=True, time=self._time())
        )

    def interrupted(self, turn: str, by_voice: bool) -> bytes:
        kinds = ConversationInterruption.InterruptionType
        kind = kinds.INTERRUPTION_TYPE_VAD if by_voice else kinds.INTERRUPTION_TYPE_WORD
        return _whole(interruption=ConversationInterruption(id=turn, type=kind, time=self._time()))

    def tool_called(self, turn: str, call: ToolCall) -> bytes:
        return _whole(
            toolCall=ConversationToolCall(
                id=turn,
                toolId=call.id,
                name=call.name,
                action=_ACTIONS.get(call.name),
                args={str(key): str(value) for key, value in call.arguments.items()},
                time=self._time(),
            )
        )

    def tool_answered(self, turn: str, tool_id: str, name: str, result: str) -> bytes:
        return _whole(
            toolCallResult=ConversationToolCallResult(
                id=turn,
                toolId=tool_id,
                name=name,
                action=_ACTIONS.get(name),
                result={"result": result},
                time=self._time(),
            )
        )

    def error(self, error: CallError, conversation_id: int = 0) -> bytes:
        told = ConversationError(
            assistantConversationId=conversation_id,
            message=str(error) or error.reason,
            details={"reason": error.reason},
        )
        return AssistantTalkResponse(
            code=error.status, success=False, error=told
        ).SerializeToString()

    def disconnected(self, end: End) -> bytes:
        kind = _ENDS.get(end.reason)
        if kind is None and (end.status == "failed" or end.fault is not None):
            kind = _D.DISCONNECTION_TYPE_ERROR
        return _whole(disconnection=_D(type=kind, time=self._time()))

    def _time(self) -> Any:
        return stamp(self._now())


def _whole(**data: Any) -> bytes:
    return AssistantTalkResponse(code=200, success=True, **data).SerializeToString()
