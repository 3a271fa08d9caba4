"""TalkService's calls: one, and many in one request (the contract, section 6.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults

from rapida_tw.calls.call_document import MOST_CALLS, Asking, read_call
from rapida_tw.calls.call_refusals import Part, WrongPart, refusal
from rapida_tw.calls.call_request import CallRequest, Placing
from rapida_tw.errors import BadRequest, CallError, Unavailable
from rapida_tw.rpc.answers import error_message, told
from rapida_tw.rpc.base import Caller, Methods
from rapida_tw.rpc.conversation_messages import conversation_message
from rapida_tw.rpc.kept import kept
from rapida_tw.rpc.messages.shared_pb2 import (
    Argument,
    AssistantConversation,
    AssistantDefinition,
    Error,
    Metadata,
)
from rapida_tw.rpc.messages.talk_pb2 import (
    CreateBulkPhoneCallRequest,
    CreateBulkPhoneCallResponse,
    CreatePhoneCallRequest,
    CreatePhoneCallResponse,
)
from rapida_tw.rpc.unary import Unary
from rapida_tw.rpc.values import from_map
from rapida_tw.store.records import Conversation

SCOPE = "calls:write"
AT_ONCE = 10  # calls of one request that carriers are asked for at the same time
BULK_PATIENCE = 300.0  # seconds
_SERVICE = "/talk_api.TalkService"
_PARTS = (("metadata", Part.METADATA), ("args", Part.ARGUMENTS), ("options", Part.OPTIONS))


class PhoneCalls:
    """Places calls, by the same rules as REST."""

    def __init__(self, placing: Placing, bulk: Placing | None = None) -> None:
        """`bulk`: of many calls at once, which wait for their turns."""
        self._placing = placing
        self._bulk = bulk or placing

    def methods(self) -> Methods:
        return {
            f"{_SERVICE}/CreatePhoneCall": Unary(CreatePhoneCallRequest, self.place, SCOPE),
            f"{_SERVICE}/CreateBulkPhoneCall": Unary(
                CreateBulkPhoneCallRequest, self.place_all, SCOPE, BULK_PATIENCE
            ),
        }

    async def place(
        self, caller: Caller, request: CreatePhoneCallRequest
    ) -> CreatePhoneCallResponse:
        try:
            read = read_request(request, caller)
            placed = await kept(Deferred.fromCoroutine(self._placed(self._placing, read)))
        except CallError as error:
            told(CreatePhoneCallRequest, error)
            status, message = _refused(error, bulk=False)
            return CreatePhoneCallResponse(code=status, success=False, error=message)
        return CreatePhoneCallResponse(code=200, success=True, data=_placed(placed, read))

    async def place_all(
        self, caller: Caller, request: CreateBulkPhoneCallRequest
    ) -> CreateBulkPhoneCallResponse:
        """Each by itself; the answer has one conversation for each, in their order."""
        answer = CreateBulkPhoneCallResponse
        try:
            _check_count(len(request.phoneCalls))
        except CallError as error:
            told(CreateBulkPhoneCallRequest, error)
            status, message = _refused(error, bulk=True)
            return answer(code=status, success=False, error=message)
        ended = await self._each(caller, list(request.phoneCalls))
        conversations = [conversation for conversation, _ in ended]
        refused = [found for _, found in ended if found is not None]
        success = len(refused) < len(ended)
        code = 200 if success else refused[0][0]
        return answer(
            code=code,
            success=success,
            data=conversations,
            error=refused[0][1] if refused else None,
        )

    async def _each(
        self, caller: Caller, requests: list[CreatePhoneCallRequest]
    ) -> list[tuple[AssistantConversation, tuple[int, Error] | None]]:
        gate = DeferredSemaphore(AT_ONCE)
        gone = False

        async def one(
            at: int, request: CreatePhoneCallRequest
        ) -> tuple[AssistantConversation, tuple[int, Error] | None]:
            try:
                if gone:
                    raise Unavailable("the client has gone before this call was placed")
                read = read_request(request, caller, at)
                placed = await self._placed(self._bulk, read)
            except CallError as error:
                told(CreateBulkPhoneCallRequest, error)
                return self._failed(request, error), _refused(error, bulk=True)
            return _placed(placed, read), None

        running = [
            gate.run(lambda at, request: Deferred.fromCoroutine(one(at, request)), at, request)
            for at, request in enumerate(requests)
        ]
        try:
            return await kept(gatherResults(running, consumeErrors=True))
        except BaseException:
            gone = True  # what is being dialled goes on; nobody else is rung up
            raise

    async def _placed(self, placing: Placing, request: CallRequest) -> Conversation:
        conversation = await placing.prepare(request)
        try:
            return await placing.dial(conversation, request)
        except CallError as error:
            raise _Begun(error, conversation.id) from None

    def _failed(self, request: CreatePhoneCallRequest, error: CallError) -> AssistantConversation:
        """An entry of many that was not placed."""
        begun, cause = (error.id, error.cause) if isinstance(error, _Begun) else (0, error)
        return AssistantConversation(
            id=begun,
            assistantId=request.assistant.assistantId,
            identifier=request.toNumber[:200],
            source="phone-call",
            direction="outbound",
            status="FAILED",
            metadata=[
                Metadata(key="telephony.error", value=str(cause)),
                Metadata(key="call_error", value=cause.reason),
            ],
        )


class _Begun(CallError):
    """A call that has a conversation, and was not placed all the same."""

    def __init__(self, cause: CallError, id: int) -> None:
        super().__init__(str(cause))
        self.reason = cause.reason
        self.cause = cause
        self.id = id


def read_request(
    request: CreatePhoneCallRequest, caller: Caller, at: int | None = None
) -> CallRequest:
    """`WrongPart` names the first thing that is wrong. `at`: its place among many."""
    document: dict[str, Any] = {
        "assistant": _assistant(request.assistant),
        "toNumber": request.toNumber,
        "fromNumber": request.fromNumber,
        **dict(_values(request)),
    }
    key = caller.idempotency_key
    asking = Asking(
        caller.project_id,
        caller.key.id,
        _printable(caller.user_id),
        "sdk",
        # One key is for all of many: each entry is told apart by its place.
        key if at is None or not key else f"{key}#{at}",
    )
    return read_call(document, asking)


def _assistant(named: AssistantDefinition) -> Mapping[str, Any]:
    """0 is protobuf's word for none."""
    return {"assistantId": named.assistantId or "", "version": named.version}


def _values(request: CreatePhoneCallRequest) -> Iterator[tuple[str, Any]]:
    for name, part in _PARTS:
        try:
            yield name, from_map(getattr(request, name))
        except BadRequest as error:
            raise WrongPart(part, f"{name}: {error}") from None


def _printable(text: str) -> str:
    return text if text.isprintable() else ""


def _check_count(count: int) -> None:
    if not count:
        raise WrongPart(Part.NO_CALLS, "phoneCalls is missing or empty")
    if count > MOST_CALLS:
        raise WrongPart(Part.REQUEST, f"phoneCalls must be a list of at most {MOST_CALLS}")


def _refused(error: CallError, bulk: bool) -> tuple[int, Error]:
    cause = error.cause if isinstance(error, _Begun) else error
    found = refusal(cause, bulk)
    return found.status, error_message(cause, found.code, found.human)


def _placed(conversation: Conversation, request: CallRequest) -> AssistantConversation:
    """The conversation, with what it was given."""
    message = conversation_message(conversation)
    message.metadata.extend(
        Metadata(key=key, value=value) for key, value in request.metadata.items()
    )
    message.arguments.extend(
        Argument(name=key, value=_text(value)) for key, value in request.arguments.items()
    )
    message.options.extend(
        Metadata(key=key, value=_text(value)) for key, value in request.options.items()
    )
    return message


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
