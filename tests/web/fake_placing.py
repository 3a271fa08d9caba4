"""Who places calls, for tests: nobody is rung up, everything is remembered."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed

from rapida_tw.calls.call_request import CallRequest, Placing
from rapida_tw.errors import AssistantNotFound
from rapida_tw.store.records import Conversation
from tests.web.fakes import ASSISTANT


class FakePlacing:
    """`unprepared` and `undialled`: what goes wrong, by the number that is called."""

    def __init__(self) -> None:
        self.prepared: list[CallRequest] = []
        self.dialled: list[CallRequest] = []
        self.given_up: list[tuple[int, int | None]] = []
        self.ringing: dict[int, int] = {}  # the project of each
        self.unprepared: dict[str, Exception] = {}
        self.undialled: dict[str, Exception] = {}
        self.waiting: list[Deferred[Conversation]] = []
        self.slow = False

    def place(self, request: CallRequest) -> Deferred[Conversation]:
        raise NotImplementedError

    def prepare(self, request: CallRequest) -> Deferred[Conversation]:
        self.prepared.append(request)
        if request.assistant_id != ASSISTANT:
            return fail(AssistantNotFound(f"no assistant {request.assistant_id}"))
        if request.callee in self.unprepared:
            return fail(self.unprepared[request.callee])
        return succeed(
            Conversation(
                100 + len(self.prepared),
                request.project_id,
                request.assistant_id,
                request.callee,
                direction="outbound",
                carrier="twilio",
                status="queued",
                created=1.0,
                updated=1.0,
            )
        )

    def dial(self, conversation: Conversation, request: CallRequest) -> Deferred[Conversation]:
        self.dialled.append(request)
        if request.callee in self.undialled:
            return fail(self.undialled[request.callee])
        if self.slow:
            waiting: Deferred[Conversation] = Deferred()
            self.waiting.append(waiting)
            return waiting.addCallback(lambda _: conversation)
        return succeed(conversation)

    def give_up(self, conversation_id: int, project_id: int | None = None) -> bool:
        self.given_up.append((conversation_id, project_id))
        return self.ringing.get(conversation_id, 0) == project_id


_conforms: type[Placing] = FakePlacing
