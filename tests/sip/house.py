"""A user agent in virtual time, whose house, media and peers the test plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.carriers.base import IncomingCall
from rapida_tw.errors import CallError, CapacityExceeded, End, Unauthenticated
from rapida_tw.media.leg import Leg
from rapida_tw.sip.agent import SipAgent
from rapida_tw.sip.base import Party
from rapida_tw.sip.guard import Limits
from rapida_tw.sip.settings import SipSettings
from rapida_tw.wire import sip_digest
from rapida_tw.wire.sdp_negotiation import Capabilities, Negotiator
from rapida_tw.wire.sip_message import Headers, Malformed, Request, Response, parse

ASSISTANT, OTHER, FOREIGN = 123456789, 222, 333
PROJECT, ELSEWHERE = 7, 8
KEY = "rpd-0a1b2c3d"
WE = ("203.0.113.10", 5090)
PEER = ("198.51.100.7", 31002)
OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"
    b"m=audio 14680 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)
VIDEO = OFFER.replace(b"audio", b"video")


@dataclass
class MemoryFlow:
    """A way that keeps what was sent; equal to another from the same peer."""

    peer: tuple[str, int] = PEER
    transport: str = "UDP"
    local: tuple[str, int] = WE
    sent: list[Any] = field(default_factory=list, compare=False)
    open: bool = field(default=True, compare=False)

    def send(self, data: bytes) -> bool:
        try:
            self.sent.append((self.peer, parse(data)))
        except Malformed:  # of a request that had not all of it either
            self.sent.append((self.peer, data))
        return True

    def beside(self, port: int) -> MemoryFlow:
        return replace(self, peer=(self.peer[0], port))

    def __hash__(self) -> int:
        return hash(self.peer)


class House:
    """Two projects with a key each; three assistants; two numbers. Slow where a test says so."""

    def __init__(self) -> None:
        self.keys = {PROJECT: [KEY], ELSEWHERE: ["rpd-elsewhere"]}
        self.homes = {ASSISTANT: PROJECT, OTHER: PROJECT, FOREIGN: ELSEWHERE}
        self.numbers = {"15557654321": OTHER, "15550009999": FOREIGN}
        self.asked: list[Any] = []
        self.taken: list[tuple[Party, IncomingCall]] = []
        self.attached: list[Leg] = []
        self.abandoned: list[CallError] = []
        self.listener = Listener()
        self.ready = ""
        self.taking: Callable[[], Deferred[Any]] = lambda: succeed("taken")
        self.identifying: Callable[[Any], Deferred[Any]] = succeed
        self.attaching: Callable[[], None] = lambda: None

    def passwords(self, assistant_id: int) -> Deferred[Sequence[str]]:
        self.asked.append(("passwords", assistant_id))
        return self.identifying(self.keys.get(self.homes.get(assistant_id, 0), []))

    def enter(self, assistant_id: int, key: str) -> Deferred[Party]:
        self.asked.append(("enter", assistant_id))
        project = self.homes.get(assistant_id, 0)
        if key not in self.keys.get(project, []):
            return fail(Unauthenticated("no"))
        return self.identifying(Party(assistant_id, project))

    def dialled(self, number: str, project_id: int | None) -> Deferred[Party | None]:
        self.asked.append(("dialled", number, project_id))
        found = self.numbers.get(number, 0)
        home = self.homes.get(found)
        if home is None or project_id not in (None, home):
            return succeed(None)
        return succeed(Party(found, home))

    def trunk(self, credential_id: int) -> Deferred[Party | None]:
        return succeed(None)

    def take(self, party: Party, incoming: IncomingCall) -> Deferred[Any]:
        self.taken.append((party, incoming))
        return self.taking()

    def attach(self, taken: Any, leg: Leg) -> Listener:
        assert taken == "taken"
        self.attaching()
        self.attached.append(leg)
        return self.listener

    def abandon(self, taken: Any, error: CallError) -> None:
        assert taken == "taken"
        self.abandoned.append(error)


class Listener:
    """A call that writes down its end."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *told: None

    def leg_ended(self, end: End) -> None:
        self.ends.append(end.reason)


class FakeStream:
    """RTP that the test plays."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.format = AudioFormat(Encoding.MULAW)
        self.flowing: Callable[[], None] | None = None
        self.listener: Any = None
        self.closed = False

    def agree(self, agreed: object, signalling_host: str) -> None:
        pass

    def begin(self, flowing: Callable[[], None]) -> None:
        assert not self.closed
        self.flowing = flowing

    def listen(self, listener: Any) -> None:
        self.listener = listener

    def send_audio(self, payload: bytes) -> None:
        pass

    def send_digits(self, digits: str) -> bool:
        return True

    def measures(self) -> Mapping[str, tuple[str, Mapping[str, object]]]:
        return {}

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._lines.open_now -= 1


class Lines:
    """So many pairs of ports, counted."""

    def __init__(self, most: int = 1_000_000) -> None:
        self.most = most
        self.open_now = 0
        self.streams: list[FakeStream] = []

    def open(self, flow: object, learning: str = "") -> tuple[Any, Any]:
        if self.open_now >= self.most:
            raise CapacityExceeded("all RTP ports are taken")
        self.open_now += 1
        stream = FakeStream(self)
        self.streams.append(stream)
        capabilities = Capabilities(("PCMU", "PCMA"))
        return Negotiator(WE[0], 10_000, capabilities, len(self.streams)), stream


class NoFlows:
    """No way of our own is needed."""

    def to(self, host: str, port: int, transport: str, name: str = "") -> Deferred[Any]:
        return fail(OSError(f"{transport} to {host}:{port}"))


class Endpoint:
    """The agent, its house, and a peer. Answers are read off by `answers`."""

    def __init__(self, limits: Limits | None = None, **settings: Any) -> None:
        self.clock = Clock()
        self.house = House()
        self.lines = Lines()
        self.settings = SipSettings(host=WE[0], secret=b"secret", **settings)
        self.agent = SipAgent(
            self.clock,
            self.settings,
            self.house,
            self.lines,
            NoFlows(),
            Random(5),
            lambda: 1e9 + self.clock.seconds(),
            limits,
        )
        self.flow = MemoryFlow()
        self._branches = count(1)

    def answers(self) -> list[Response | Request]:
        """What came back since the last time."""
        told = [message for _, message in self.flow.sent]
        self.flow.sent.clear()
        return told

    def statuses(self) -> list[int | str]:
        """The same as statuses; of requests, their methods."""
        return [
            message.status if isinstance(message, Response) else message.method
            for message in self.answers()
        ]

    def send(self, request: Request, flow: MemoryFlow | None = None) -> None:
        self.agent.received(request.encode(), flow or self.flow)

    def request(
        self,
        method: str,
        uri: str = "sip:203.0.113.10:5090",
        *headers: tuple[str, str],
        body: bytes = b"",
        cseq: int = 1,
        call_id: str = "call-1",
        to_tag: str = "",
        branch: str = "",
    ) -> Request:
        """With all headers that it needs; `headers` stand instead of those of their name."""
        fields = Headers(
            (
                ("Via", f"SIP/2.0/UDP 10.0.0.5:5060;rport;branch={branch or self.branch()}"),
                ("From", '"Bob" <sip:+15550001111@10.0.0.5>;tag=147a'),
                ("To", "<sip:15551234567@203.0.113.10>" + (f";tag={to_tag}" if to_tag else "")),
                ("Call-ID", call_id),
                ("CSeq", f"{cseq} {method}"),
                ("Contact", "<sip:asterisk@10.0.0.5:5060>"),
                ("Max-Forwards", "70"),
            )
        )
        if body:
            fields.set("Content-Type", "application/sdp")
        for name in {name for name, _ in headers}:
            fields.remove(name)
        for name, value in headers:
            fields.add(name, value)
        return Request(method, uri, fields, body)

    def branch(self) -> str:
        return f"z9hG4bK{next(self._branches)}"

    def invite(self, *headers: tuple[str, str], **changed: Any) -> Request:
        """By the password in the URI, unless `uri` is another."""
        uri = changed.pop("uri", f"sip:{ASSISTANT}:{KEY}@203.0.113.10:5090")
        return self.request("INVITE", uri, *headers, **{"body": OFFER, **changed})

    def credentials(
        self,
        challenge: Response,
        request: Request,
        password: str = KEY,
        username: str = str(ASSISTANT),
        place: int = 0,
        nc: int = 1,
    ) -> str:
        """The Authorization that answers the challenge at `place`."""
        asked = challenge.headers.all("WWW-Authenticate")[place:]
        value = sip_digest.answer(
            asked, request.method, request.uri, username, password, "0a4f113b", nc
        )
        assert value is not None
        return value

    def challenged(self, request: Request) -> Response:
        """Send it, and give the 401."""
        self.send(request)
        (challenge,) = self.answers()
        assert isinstance(challenge, Response)
        assert challenge.status == 401
        return challenge

    def dial(self, uri: str = "sip:15551234567@203.0.113.10:5090", **login: Any) -> Request:
        """INVITE, 401, and the INVITE with Digest, sent."""
        first = self.invite(uri=uri)
        challenge = self.challenged(first)
        second = self.invite(uri=uri, cseq=2)
        second.headers.set("Authorization", self.credentials(challenge, second, **login))
        self.send(second)
        return second

    def ack(self, answer: Response, body: bytes = b"") -> Request:
        """Of a 2xx."""
        number = answer.cseq[0]
        uri = "sip:203.0.113.10:5090"
        return self.request(
            "ACK", uri, body=body, cseq=number, call_id=answer.call_id, to_tag=answer.to.tag
        )

    def send_response(self, request: Request, status: int) -> None:
        """Their answer to a request of ours."""
        response = request.answer(status)
        self.agent.received(response.encode(), self.flow)

    def connect(self) -> Response:
        """A call up to its ACK; the 200."""
        self.send(self.invite())
        answer = self.answers()[-1]
        assert isinstance(answer, Response)
        assert answer.status == 200, answer.phrase
        self.send(self.ack(answer))
        return answer

    def nothing_left(self) -> None:
        """After all that can be repeated has been: no timer, no port, no dialog."""
        for _ in range(80):
            self.clock.advance(1)
        assert self.clock.getDelayedCalls() == []
        assert self.lines.open_now == 0
        assert len(self.agent.dialogs) == 0
        assert len(self.agent.transactions) == 0


def last(endpoint: Endpoint) -> Response:
    """The answer that came last."""
    answer = endpoint.answers()[-1]
    assert isinstance(answer, Response)
    return answer


def bye(endpoint: Endpoint, answer: Response) -> None:
    """They hang up."""
    endpoint.send(endpoint.request("BYE", cseq=9, to_tag=answer.to.tag))


def slowly(endpoint: Endpoint) -> tuple[Deferred[Any], list[str]]:
    """The house thinks about the next call until this Deferred fires."""
    cancelled: list[str] = []
    taking: Deferred[Any] = Deferred(lambda _: cancelled.append("cancelled"))
    endpoint.house.taking = lambda: taking
    return taking, cancelled
