"""AgentKit's messages, without I/O: `talk_api.AgentKit/Talk`, of which we are the client.

An agent streams its reply in pieces under the id of the message that it answers. The last piece is
`completed`; by the library's example it is the whole text once more, by others nothing, or the
rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import StringValue

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.models import agentkit_pb2 as pb

METHOD = "/talk_api.AgentKit/Talk"

_TARGETS = ("to", "target", "transfer_to", "number", "phone", "phone_number")
_END = pb.TOOL_CALL_ACTION_END_CONVERSATION
_TRANSFER = pb.TOOL_CALL_ACTION_TRANSFER_CONVERSATION


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of the reply to `id`, or (`completed`) its end."""

    id: str
    text: str
    completed: bool


@dataclass(frozen=True, slots=True)
class HangUp:
    """The agent ends the call, after what it says."""

    id: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """The agent hands the caller over; `target` "" where it does not say to whom."""

    id: str
    target: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The agent cannot reply. `code`: an HTTP status, or 0."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Working:
    """A sign of life: the agent uses a tool of its own."""


@dataclass(frozen=True, slots=True)
class Other:
    """An acknowledgement, or a kind that is new."""


Told = Said | HangUp | Transfer | Failure | Working | Other


@dataclass(frozen=True, slots=True)
class Opening:
    """What the agent is told of the call first."""

    conversation: int  # not 0; the same for all streams of a call
    args: Mapping[str, str] = field(default_factory=dict)


def initialization(opening: Opening, now: float) -> bytes:
    """The first message. `now`: seconds since the epoch."""
    message = pb.Initialization(
        assistantConversationId=opening.conversation,
        time=_stamp(now),
        streamMode=pb.STREAM_MODE_TEXT,
    )
    for name, value in opening.args.items():
        message.args[name].Pack(StringValue(value=value))
    return pb.TalkInput(initialization=message).SerializeToString()


def user_message(id: str, text: str, now: float) -> bytes:
    """A whole turn of the caller's."""
    message = pb.UserMessage(id=id, completed=True, time=_stamp(now), text=text)
    return pb.TalkInput(message=message).SerializeToString()


def interruption(id: str, now: float) -> bytes:
    """Nobody listens to the reply to `id` any more."""
    message = pb.Interruption(id=id, type=pb.Interruption.INTERRUPTION_TYPE_WORD, time=_stamp(now))
    return pb.TalkInput(interruption=message).SerializeToString()


def read(payload: bytes) -> Told:
    """One message of the agent's; RemoteProtocolError for garbage."""
    try:
        output = pb.TalkOutput.FromString(payload)
    except DecodeError:
        raise RemoteProtocolError("no message of AgentKit") from None
    kind = output.WhichOneof("data")
    if kind == "error" or (output.code >= 400 and not output.success):
        error = output.error
        reason = error.errorMessage or error.humanMessage or "it gave no reason"
        return Failure(output.code or min(error.errorCode, 599), reason)
    if kind == "assistant":
        said = output.assistant
        return Said(said.id, said.text, said.completed)
    if kind == "toolCall" and output.toolCall.action == _END:
        return HangUp(output.toolCall.id)
    if kind == "toolCall" and output.toolCall.action == _TRANSFER:
        return Transfer(output.toolCall.id, _target(output.toolCall.args))
    return Working() if kind in ("toolCall", "toolCallResult") else Other()


def rest_of(said: str, last: str) -> str:
    """What of the last piece has not been said yet."""
    if not said.strip() or last.startswith(said):
        return last[len(said) :] if last.startswith(said) else last
    if "".join(last.split()).startswith("".join(said.split())):
        # The same words with other blanks between them.
        return last[_end_of(len("".join(said.split())), last) :]
    return last


def _end_of(characters: int, text: str) -> int:
    """Where so many characters that are no blanks have been."""
    for at, character in enumerate(text):
        if not characters:
            return at
        characters -= not character.isspace()
    return len(text)


def _target(args: Mapping[str, str]) -> str:
    named = next((args[name] for name in _TARGETS if args.get(name)), "")
    return named or (next(iter(args.values())) if len(args) == 1 else "")


def _stamp(now: float) -> Timestamp:
    seconds = int(now)
    return Timestamp(seconds=seconds, nanos=int((now - seconds) * 1e9))
