"""POST /v1/calls and its older names: calls that an assistant is to make.

Answered as soon as the carrier has a call: what becomes of it is in the history. Errors have the
numbers of the contract (`calls/call_refusals.py`), and name the conversation where there is one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.call_document import Asking, read_call, read_calls
from rapida_tw.calls.call_refusals import refusal
from rapida_tw.calls.call_request import CallRequest, Placing
from rapida_tw.carriers.base import Document
from rapida_tw.errors import CallError, Unavailable
from rapida_tw.metrics import Counter
from rapida_tw.store.records import Conversation
from rapida_tw.web.answers import Answer, RefusedCall, error_part, json_document
from rapida_tw.web.api import Api, Ask
from rapida_tw.web.conversations import summary
from rapida_tw.web.operation import Operation, Parameter, ref
from rapida_tw.web.request import BoundedRequest
from rapida_tw.web.route import Handler, Route

PATH = "/v1/calls"
SINGLE = (PATH, "/v1/talk/call", "/v1/talk/create-phone-call")
BULK = "/v1/talk/create-bulk-phone-call"
SCOPE = "calls:write"
AT_ONCE = 10  # calls of one request that carriers are asked for at the same time
BULK_PATIENCE = 300.0  # seconds
_LONGEST_USER = 200  # characters of who asks, as by gRPC

_ONCE = Parameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,200}$"},
    "The same one dials once, however often it is sent.",
    place="header",
)
_PLACE = "Have an assistant call somebody; answered as soon as the carrier has the call."
_NAMES = ("createCall", "talkCall", "createPhoneCall")
_OPERATIONS = [
    Operation(name, _PLACE, "Calls", ref("PlacedCall"), ref("NewCall"), (_ONCE,)) for name in _NAMES
]
_BULK_OPERATION = Operation(
    "createBulkPhoneCall",
    "Many calls; one entry for each, in their order. Success: at least one was placed.",
    "Calls",
    {"type": "array", "items": ref("BulkEntry")},
    ref("NewCalls"),
    (_ONCE,),
)

T = TypeVar("T")

refused = Counter("rapida_call_requests_refused_total", "Calls that were not placed.", ("reason",))


class PlacedCalls:
    """The routes that place calls."""

    _log = Logger()

    def __init__(self, placing: Placing, bulk: Placing | None = None) -> None:
        """`bulk`: of many calls at once, which wait for their turns."""
        self._placing = placing
        self._bulk = bulk or placing

    def routes(self, api: Api) -> Iterator[Route]:
        for path, operation in zip(SINGLE, _OPERATIONS, strict=True):
            yield Route("POST", path, self._numbered(api, self.place), None, operation)
        bulk = self._numbered(api, self.place_all, bulk=True)
        yield Route("POST", BULK, bulk, BULK_PATIENCE, _BULK_OPERATION)

    def _numbered(
        self, api: Api, work: Callable[[Ask], Awaitable[Document]], bulk: bool = False
    ) -> Handler:
        """Behind the door, with the contract's numbers for what fails there too."""

        async def handle(request: BoundedRequest) -> Document:
            try:
                ask, _ = await api.enter(request, {}, SCOPE)
                return await work(ask)
            except RefusedCall as error:
                refused.inc(error.reason)
                raise
            except CallError as error:
                refused.inc(error.reason)
                raise RefusedCall(error, refusal(error, bulk)) from None

        return handle

    async def place(self, ask: Ask) -> Document:
        """One call."""
        request = read_call(ask.document(), _asking(ask))
        placed = await self._kept(Deferred.fromCoroutine(self._placed(self._placing, request)))
        return Answer(placed_document(placed, request)).document()

    async def place_all(self, ask: Ask) -> Document:
        """Many, each by itself; the answer has one entry for each, in their order."""
        asking = _asking(ask)
        documents = read_calls(ask.document())
        gate = DeferredSemaphore(AT_ONCE)
        gone = False

        async def one(at: int, document: object) -> dict[str, Any]:
            try:
                if gone:
                    raise Unavailable("the client has gone before this call was placed")
                request = read_call(document, _of_many(asking, at))
                placed = await self._placed(self._bulk, request)
            except Exception as error:
                return self._failed(error)
            return {**placed_document(placed, request), "success": True, "error": None}

        running = [
            gate.run(lambda at, given: Deferred.fromCoroutine(one(at, given)), at, given)
            for at, given in enumerate(documents)
        ]
        try:
            entries = await self._kept(gatherResults(running, consumeErrors=True))
        except BaseException:
            gone = True  # what is being dialled goes on; nobody else is rung up
            raise
        return _bulk_document(entries)

    async def _placed(self, placing: Placing, request: CallRequest) -> Conversation:
        conversation = await placing.prepare(request)
        try:
            return await placing.dial(conversation, request)
        except CallError as error:
            raise RefusedCall(error, refusal(error), conversation.id) from None

    def _failed(self, error: Exception) -> dict[str, Any]:
        """An entry of many that was not placed; the others do not notice."""
        conversation_id = None
        if isinstance(error, RefusedCall):
            conversation_id = error.conversation_id
            error = error.cause
        if not isinstance(error, CallError) or error.status == CallError.status:
            self._log.failure("a call of many failed", Failure(error))
            # Not the exception's text: it may hold anything.
            error = CallError("something went wrong on the server")
        else:
            self._log.info(
                "a call of many refused: {reason}: {error}", reason=error.reason, error=error
            )
        refused.inc(error.reason)
        answer = RefusedCall(error, refusal(error, bulk=True), conversation_id)
        return {
            "id": None if conversation_id is None else str(conversation_id),
            "status": "failed",
            "metadata": {"call_error": error.reason, "telephony.error": str(error)},
            "success": False,
            "error": error_part(answer),
            "code": answer.status,
        }

    def _kept(self, working: Deferred[T]) -> Deferred[T]:
        """Work that goes on when its client has gone: a call must not be lost between two steps."""
        watching: Deferred[T] = Deferred()

        def failed(failure: Failure) -> None:
            if not watching.called:
                watching.errback(failure)
            elif not failure.check(CallError):
                self._log.failure("a call was not placed, and nobody waits for it", failure)

        working.addCallbacks(
            lambda result: None if watching.called else watching.callback(result), failed
        )
        return watching


def placed_document(conversation: Conversation, request: CallRequest) -> dict[str, Any]:
    """The conversation, with what it was given."""
    return summary(conversation) | {
        "metadata": dict(request.metadata),
        "arguments": dict(request.arguments),
        "options": dict(request.options),
    }


def _asking(ask: Ask) -> Asking:
    user = ask.request.header("x-auth-id").strip()[:_LONGEST_USER]
    return Asking(
        ask.project_id,
        ask.key.id,
        user if user.isprintable() else "",
        idempotency_key=ask.request.header("idempotency-key").strip(),
    )


def _of_many(asking: Asking, at: int) -> Asking:
    """A header's key is one for all: each entry is told apart by its place."""
    key = asking.idempotency_key
    return replace(asking, idempotency_key=f"{key}#{at}") if key else asking


def _bulk_document(entries: list[dict[str, Any]]) -> Document:
    """200 when at least one call was placed, else the first one's error."""
    codes = [entry.pop("code", 200) for entry in entries]
    success = 200 in codes
    status = 200 if success else codes[0]
    errors = [entry["error"] for entry in entries if entry["error"] is not None]
    envelope: dict[str, Any] = {"code": status, "success": success, "data": entries}
    if errors:
        envelope["error"] = errors[0]
    return json_document(envelope, status)
