"""What stands around transactions in tests: a way that records, and users that do."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sip.base import Flow, HostPort, ServerTransaction
from rapida_tw.sip.transactions import Transactions
from rapida_tw.wire.sip_message import Request, Response, parse

HEADERS = """\
Via: SIP/2.0/{transport} 10.0.0.5:5060;branch={branch}
From: <sip:bob@10.0.0.5>;tag={from_tag}
To: <sip:us@203.0.113.10>{to}
Contact: <sip:bob@10.0.0.5>
Call-ID: {call_id}
CSeq: {number} {method}"""


class Way:
    """A flow that notes when what was sent; `works` False: nothing leaves it."""

    def __init__(self, clock: Clock, transport: str = "UDP") -> None:
        self._clock = clock
        self.transport = transport
        self.peer: HostPort = ("10.0.0.5", 5060)
        self.local: HostPort = ("203.0.113.10", 5090)
        self.open = True
        self.works = True
        self.sent: list[tuple[float, bytes]] = []

    def send(self, data: bytes) -> bool:
        if self.works:
            self.sent.append((self._clock.seconds(), data))
        return self.works

    @property
    def messages(self) -> list[Request | Response]:
        return [parse(data) for _, data in self.sent]

    @property
    def statuses(self) -> list[int]:
        """Of the responses."""
        return [message.status for message in self.messages if isinstance(message, Response)]

    @property
    def methods(self) -> list[str]:
        """Of the requests."""
        return [message.method for message in self.messages if isinstance(message, Request)]

    def times(self, what: int | str) -> list[float]:
        """When each response with that status, or request of that method, left."""
        found = []
        for time, data in self.sent:
            message = parse(data)
            if what == (message.status if isinstance(message, Response) else message.method):
                found.append(time)
        return found


class Asked:
    """A ClientUser that records."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.failures: list[str] = []

    def response_received(self, response: Response, flow: Flow) -> None:
        self.statuses.append(response.status)

    def request_failed(self, reason: str) -> None:
        self.failures.append(reason)


class House:
    """Core and InviteUser: takes every request, and does what `plan` says with it."""

    def __init__(self, transport: str = "UDP", limit: int = 1000) -> None:
        self.clock = Clock()
        self.way = Way(self.clock, transport)
        self.transactions = Transactions(self.clock, self, limit=limit)
        self.taken: list[ServerTransaction] = []
        self.acks: list[Request] = []
        self.strays: list[Response] = []
        self.happened: list[str] = []
        self.plan: list[int] = []  # statuses to answer with at once
        self.breaks: set[str] = set()  # methods of this that raise

    def hears(self, method: str = "INVITE", **changes: object) -> None:
        """A request of theirs arrives."""
        message = parse(theirs(method, self.way.transport, **changes))
        self.transactions.received(message, self.way)

    def advance(self, seconds: float) -> None:
        """In small steps, as it passes; they are multiples of what floats hold exactly."""
        for _ in range(round(seconds * 16)):
            self.clock.advance(1 / 16)

    @property
    def last(self) -> ServerTransaction:
        return self.taken[-1]

    def answer(self, status: int, tag: str = "us") -> None:
        self.last.respond(self.last.request.answer(status, to_tag=tag))

    # -- Core -------------------------------------------------------------------------------------

    def request_received(self, request: Request, flow: Flow) -> None:
        if "before" in self.breaks:
            raise RuntimeError("before it was accepted")
        self.taken.append(self.transactions.accept(request, flow, self))
        if "after" in self.breaks:
            raise RuntimeError("after it was accepted")
        for status in self.plan:
            self.answer(status)

    def ack_received(self, ack: Request, flow: Flow) -> None:
        self.acks.append(ack)
        if "ack" in self.breaks:
            raise RuntimeError("on the ACK")

    def response_strayed(self, response: Response, flow: Flow) -> None:
        self.strays.append(response)

    # -- InviteUser -------------------------------------------------------------------------------

    def cancelled(self, cancel: Request) -> None:
        self.happened.append("cancelled")
        if "cancelled" in self.breaks:
            raise RuntimeError("on the CANCEL")

    def not_acknowledged(self) -> None:
        self.happened.append("not acknowledged")


class HouseCase(SynchronousTestCase):
    """With a house, and nothing left of it in the end."""

    transport = "UDP"

    def setUp(self) -> None:
        self.house = House(self.transport)
        self.way = self.house.way

    def tearDown(self) -> None:
        self.house.advance(70)
        self.assertEqual(self.house.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.house.transactions), 0)
        self.assertEqual(self.house.transactions._merging, {})
        self.assertEqual(self.house.transactions._finished, {})


def theirs(method: str = "INVITE", transport: str = "UDP", **changes: object) -> bytes:
    """A request as its bytes; `changes` are the places in HEADERS, `uri` and `drop`, a header."""
    values: dict[str, object] = {
        "transport": transport,
        "branch": "z9hG4bK-1",
        "from_tag": "them",
        "to": "",
        "call_id": "c1",
        "number": 1,
        "method": method,
        "uri": "sip:us@203.0.113.10",
    }
    values |= changes
    head = f"{method} {values.pop('uri')} SIP/2.0\n{HEADERS.format_map(values)}\nContent-Length: 0"
    return head.replace("\n", "\r\n").encode() + b"\r\n\r\n"


def ours(method: str = "INVITE") -> Request:
    """A request of ours, as a dialog makes it."""
    request = Request(method, "sip:bob@10.0.0.5")
    for name, value in (
        ("From", "<sip:us@203.0.113.10>;tag=us"),
        ("To", "<sip:bob@10.0.0.5>"),
        ("Call-ID", "c2"),
        ("CSeq", f"1 {method}"),
        ("Route", "<sip:10.0.0.5;lr>"),
        ("Contact", "<sip:us@203.0.113.10:5090>"),
    ):
        request.headers.add(name, value)
    return request
