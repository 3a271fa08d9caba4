"""A user agent that calls out, in virtual time; the test plays the trunk, DNS and the house."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from rapida_tw.errors import End
from rapida_tw.sip.agent import SipAgent
from rapida_tw.sip.dialling import CallUser, Handle
from rapida_tw.sip.locate import Resolver, Service
from rapida_tw.sip.outcome import Outcome
from rapida_tw.sip.session import Session
from rapida_tw.sip.settings import SipSettings
from rapida_tw.sip.trunk import Trunk
from rapida_tw.wire.sip_digest import Challenge, Credentials, check, ha1
from rapida_tw.wire.sip_message import Request, Response, parse
from tests.sip.house import WE, House, Lines, Listener, MemoryFlow

TRUNK = ("198.51.100.1", 5060)
OTHER = ("198.51.100.2", 5060)
NUMBER = "+15557654321"
ANSWER = (
    b"v=0\r\no=- 7 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"
    b"m=audio 20000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)
ELSEWHERE = ANSWER.replace(b"20000", b"30000").replace(b"AVP 0", b"AVP 8")
VIDEO = ANSWER.replace(b"audio", b"video")

Fields = Iterable[tuple[str, str]]


class Names:
    """DNS: what is not there fails; a Deferred in it is somebody's who is slow."""

    def __init__(self) -> None:
        self.hosts: dict[str, Any] = {"trunk.example": [TRUNK[0]]}
        self.srv: dict[str, Any] = {}
        self.asked: list[str] = []

    def addresses(self, name: str) -> Deferred[Sequence[str]]:
        return self._tell(name, self.hosts.get(name, OSError("no such name")))

    def services(self, name: str) -> Deferred[Sequence[Service]]:
        return self._tell(name, self.srv.get(name, ()))

    def _tell(self, name: str, found: Any) -> Deferred[Any]:
        self.asked.append(name)
        if isinstance(found, Deferred):
            return found
        return fail(found) if isinstance(found, Exception) else succeed(found)


class Ways:
    """Ways that are opened: one an address, unless that refuses."""

    def __init__(self) -> None:
        self.flows: dict[tuple[str, int], MemoryFlow] = {}
        self.asked: list[tuple[str, int, str, str]] = []
        self.refusing: set[str] = set()
        self.sent: list[tuple[tuple[str, int], Any]] = []

    def to(self, host: str, port: int, transport: str, name: str = "") -> Deferred[Any]:
        self.asked.append((host, port, transport, name))
        if host in self.refusing:
            return fail(OSError("Connection refused"))
        return succeed(self.way(host, port, transport))

    def way(self, host: str, port: int, transport: str = "UDP") -> MemoryFlow:
        flow = self.flows.get((host, port))
        if flow is None or not flow.open:
            flow = MemoryFlow((host, port), transport, sent=self.sent)
            self.flows[host, port] = flow
        return flow


class Asker:
    """A CallUser that writes down what it is told, and attaches a listener."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.session: Session | None = None
        self.outcome: Outcome | None = None
        self.listener = Listener()
        self.on: dict[str, Callable[[], Any]] = {}

    def trying(self) -> None:
        self._note("trying")

    def ringing(self) -> None:
        self._note("ringing")

    def early_media(self) -> None:
        self._note("early media")

    def answered(self, session: Session) -> None:
        self.session = session
        self._note("answered")

    def attach(self, session: Session) -> Any:
        assert session is self.session
        self._note("attach")
        return self.listener

    def ended(self, end: End) -> None:
        self._note(f"ended: {end.reason}")

    def failed(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self._note(outcome.status)

    def _note(self, what: str) -> None:
        self.told.append(what)
        self.on.get(what, lambda: None)()


_conforms: tuple[type[CallUser], type[Resolver]] = (Asker, Names)


class Upstream:
    """The agent, and all that is around it."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.house = House()
        self.lines = Lines()
        self.names = Names()
        self.ways = Ways()
        self.user = Asker()
        self.agent = SipAgent(
            self.clock,
            SipSettings(host=WE[0], secret=b"secret", **settings),
            self.house,
            self.lines,
            self.ways,
            Random(5),
            lambda: 1e9 + self.clock.seconds(),
            resolver=self.names,
        )

    # -- we ---------------------------------------------------------------------------------------

    def trunk(self, **fields: str) -> Trunk:
        usual = {"server": "198.51.100.1", "username": "acme", "password": "secret"}
        return Trunk.read({**usual, **fields}, 7)

    def dial(self, number: str = NUMBER, **fields: str) -> Handle:
        """A call, whose INVITE is on its way if it can be."""
        handle = self.agent.dial(self.trunk(**fields), number, self.user)
        assert self.user.told == []
        self.clock.advance(0)
        return handle

    def sent(self, method: str, to: tuple[str, int] | None = None) -> list[Request]:
        """Requests of ours without their repetitions, in the order in which they left."""
        found: dict[Any, Request] = {}
        for peer, message in self.ways.sent:
            if isinstance(message, Request) and message.method == method and to in (None, peer):
                found.setdefault((message.cseq, message.via.branch, message.to.tag), message)
        return list(found.values())

    def one(self, method: str) -> Request:
        (request,) = self.sent(method)
        return request

    @property
    def invite(self) -> Request:
        """The latest."""
        return self.sent("INVITE")[-1]

    # -- the trunk --------------------------------------------------------------------------------

    def reply(
        self,
        request: Request,
        status: int,
        headers: Fields = (),
        tag: str = "theirs",
        body: bytes = b"",
        peer: tuple[str, int] = TRUNK,
    ) -> None:
        response = request.answer(status, to_tag=tag)
        if request.method == "INVITE" and status < 300:
            response.headers.set("Contact", f"<sip:gw@{peer[0]}:5062>")
        for name, value in headers:
            response.headers.add(name, value)
        if body:
            response.headers.set("Content-Type", "application/sdp")
            response.body = body
        self.agent.received(response.encode(), self.ways.way(*peer))

    def answer(self, tag: str = "theirs", body: bytes = ANSWER, **more: Any) -> None:
        """200 to the latest INVITE."""
        self.reply(self.invite, 200, tag=tag, body=body, **more)

    def challenge(self, request: Request, status: int = 401, **asked: Any) -> str:
        """A challenge; its nonce."""
        nonce = f"nonce{len(self.ways.sent)}"
        asked = {"realm": "acme.example", "nonce": nonce, **asked}
        name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        self.reply(request, status, ((name, str(Challenge(**asked))),))
        return nonce

    def asks(
        self, method: str, *headers: tuple[str, str], of: Request, tag: str = "theirs"
    ) -> Response:
        """A request of theirs within the dialog of our INVITE, and our answer."""
        fields = [
            ("Via", f"SIP/2.0/UDP {TRUNK[0]}:5060;rport;branch=z9hG4bK{method}{tag}"),
            ("From", f"{of.headers.get('To')};tag={tag}"),
            ("To", of.headers.get("From")),
            ("Call-ID", of.call_id),
            ("CSeq", f"1 {method}"),
            ("Max-Forwards", "70"),
            *headers,
        ]
        text = f"{method} sip:{WE[0]}:5090 SIP/2.0\r\n"
        text += "".join(f"{name}: {value}\r\n" for name, value in fields)
        self.agent.received(parse(f"{text}\r\n".encode()).encode(), self.ways.way(*TRUNK))
        answered = self.ways.sent[-1][1]
        assert isinstance(answered, Response)
        return answered

    def advance(self, seconds: float) -> None:
        """In steps of a quarter, as it passes."""
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)

    def nothing_left(self) -> None:
        """No timer, no port, no dialog, once all repetitions are over."""
        self.advance(70)
        self.agent.close()
        assert self.clock.getDelayedCalls() == []
        assert self.lines.open_now == 0
        assert len(self.agent.dialogs) == 0
        assert len(self.agent.caller) == 0
        assert not self.agent.guard._calls


def right(request: Request, password: str = "secret", header: str = "Authorization") -> bool:
    """Whether the request's credentials are those of the password, for its very Request-URI."""
    credentials = Credentials.parse(request.headers.get(header))
    secret = ha1(credentials.algorithm, credentials.username, credentials.realm, password)
    good = check(credentials, request.method, [secret]) == 0
    return good and credentials.uri == request.uri
