import datetime

from google.protobuf import any_pb2 as _any_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StreamMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STREAM_MODE_UNSPECIFIED: _ClassVar[StreamMode]
    STREAM_MODE_TEXT: _ClassVar[StreamMode]

class ToolCallAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOOL_CALL_ACTION_UNSPECIFIED: _ClassVar[ToolCallAction]
    TOOL_CALL_ACTION_END_CONVERSATION: _ClassVar[ToolCallAction]
    TOOL_CALL_ACTION_TRANSFER_CONVERSATION: _ClassVar[ToolCallAction]
STREAM_MODE_UNSPECIFIED: StreamMode
STREAM_MODE_TEXT: StreamMode
TOOL_CALL_ACTION_UNSPECIFIED: ToolCallAction
TOOL_CALL_ACTION_END_CONVERSATION: ToolCallAction
TOOL_CALL_ACTION_TRANSFER_CONVERSATION: ToolCallAction

class TalkInput(_message.Message):
    __slots__ = ("initialization", "message", "interruption")
    INITIALIZATION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    INTERRUPTION_FIELD_NUMBER: _ClassVar[int]
    initialization: Initialization
    message: UserMessage
    interruption: Interruption
    def __init__(self, initialization: _Optional[_Union[Initialization, _Mapping]] = ..., message: _Optional[_Union[UserMessage, _Mapping]] = ..., interruption: _Optional[_Union[Interruption, _Mapping]] = ...) -> None: ...

class Initialization(_message.Message):
    __slots__ = ("assistantConversationId", "time", "metadata", "args", "streamMode")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _any_pb2.Any
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_any_pb2.Any, _Mapping]] = ...) -> None: ...
    class ArgsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _any_pb2.Any
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_any_pb2.Any, _Mapping]] = ...) -> None: ...
    ASSISTANTCONVERSATIONID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    ARGS_FIELD_NUMBER: _ClassVar[int]
    STREAMMODE_FIELD_NUMBER: _ClassVar[int]
    assistantConversationId: int
    time: _timestamp_pb2.Timestamp
    metadata: _containers.MessageMap[str, _any_pb2.Any]
    args: _containers.MessageMap[str, _any_pb2.Any]
    streamMode: StreamMode
    def __init__(self, assistantConversationId: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., metadata: _Optional[_Mapping[str, _any_pb2.Any]] = ..., args: _Optional[_Mapping[str, _any_pb2.Any]] = ..., streamMode: _Optional[_Union[StreamMode, str]] = ...) -> None: ...

class UserMessage(_message.Message):
    __slots__ = ("id", "completed", "time", "text")
    ID_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    id: str
    completed: bool
    time: _timestamp_pb2.Timestamp
    text: str
    def __init__(self, id: _Optional[str] = ..., completed: bool = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...

class Interruption(_message.Message):
    __slots__ = ("id", "type", "time")
    class InterruptionType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        INTERRUPTION_TYPE_UNSPECIFIED: _ClassVar[Interruption.InterruptionType]
        INTERRUPTION_TYPE_VAD: _ClassVar[Interruption.InterruptionType]
        INTERRUPTION_TYPE_WORD: _ClassVar[Interruption.InterruptionType]
    INTERRUPTION_TYPE_UNSPECIFIED: Interruption.InterruptionType
    INTERRUPTION_TYPE_VAD: Interruption.InterruptionType
    INTERRUPTION_TYPE_WORD: Interruption.InterruptionType
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    id: str
    type: Interruption.InterruptionType
    time: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., type: _Optional[_Union[Interruption.InterruptionType, str]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TalkOutput(_message.Message):
    __slots__ = ("code", "success", "assistant", "toolCall", "toolCallResult", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANT_FIELD_NUMBER: _ClassVar[int]
    TOOLCALL_FIELD_NUMBER: _ClassVar[int]
    TOOLCALLRESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    assistant: AssistantMessage
    toolCall: ToolCall
    toolCallResult: ToolCallResult
    error: Error
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., assistant: _Optional[_Union[AssistantMessage, _Mapping]] = ..., toolCall: _Optional[_Union[ToolCall, _Mapping]] = ..., toolCallResult: _Optional[_Union[ToolCallResult, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class AssistantMessage(_message.Message):
    __slots__ = ("id", "completed", "text")
    ID_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    id: str
    completed: bool
    text: str
    def __init__(self, id: _Optional[str] = ..., completed: bool = ..., text: _Optional[str] = ...) -> None: ...

class ToolCall(_message.Message):
    __slots__ = ("id", "toolId", "name", "action", "args")
    class ArgsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    TOOLID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ARGS_FIELD_NUMBER: _ClassVar[int]
    id: str
    toolId: str
    name: str
    action: ToolCallAction
    args: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., toolId: _Optional[str] = ..., name: _Optional[str] = ..., action: _Optional[_Union[ToolCallAction, str]] = ..., args: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ToolCallResult(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("errorCode", "errorMessage", "humanMessage")
    ERRORCODE_FIELD_NUMBER: _ClassVar[int]
    ERRORMESSAGE_FIELD_NUMBER: _ClassVar[int]
    HUMANMESSAGE_FIELD_NUMBER: _ClassVar[int]
    errorCode: int
    errorMessage: str
    humanMessage: str
    def __init__(self, errorCode: _Optional[int] = ..., errorMessage: _Optional[str] = ..., humanMessage: _Optional[str] = ...) -> None: ...
