"""A session with a scripted far side: real messages, transactions, dialogs and negotiation between
them, in virtual time; only the media are a fake that records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from random import Random

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import End
from rapida_tw.media.leg import LegListener
from rapida_tw.sip.base import Flow, Flows, HostPort, ServerTransaction
from rapida_tw.sip.dialogs import Dialogs
from rapida_tw.sip.login import Login
from rapida_tw.sip.media import Offers, Stream
from rapida_tw.sip.placing import Place
from rapida_tw.sip.session import Session
from rapida_tw.sip.settings import SipSettings
from rapida_tw.sip.transactions import Transactions
from rapida_tw.wire.sdp import Agreed
from rapida_tw.wire.sdp_negotiation import Capabilities, Negotiator
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Message, Request, Response, parse
from rapida_tw.wire.sip_timer import SessionTimer

Fields = Iterable[tuple[str, str]]

US, THEM = "203.0.113.10", "198.51.100.7"
FORMATS = {
    "PCMU": AudioFormat(Encoding.MULAW),
    "PCMA": AudioFormat(Encoding.ALAW),
    "G722": AudioFormat(rate=16_000),
}
SOUND = b"\xff" * 160


def sdp(
    formats: str = "0 101",
    direction: str = "sendrecv",
    version: int = 1,
    port: int = 14680,
    host: str = THEM,
) -> bytes:
    """A description of theirs."""
    lines = [
        "v=0",
        f"o=- 3921 {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {formats}",
        f"a={direction}",
    ]
    if "101" in formats:
        lines += ["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"]
    return "\r\n".join([*lines, ""]).encode("ascii")


class MemoryFlow:
    """A way to the far side: what is sent is parsed and kept."""

    def __init__(self, transport: str = "UDP", host: str = THEM, port: int = 5060) -> None:
        self.transport = transport
        self.peer: HostPort = (host, port)
        self.local: HostPort = (US, 5090)
        self.open = True
        self.sent: list[Message] = []

    def send(self, data: bytes) -> bool:
        self.sent.append(parse(data))
        return True

    def beside(self, port: int) -> MemoryFlow:
        return MemoryFlow(self.transport, self.peer[0], port)


class MemoryFlows:
    """Ways that we open: `next` is given, or refused; `silent`: neither."""

    def __init__(self) -> None:
        self.next: Flow | None = None
        self.asked: list[tuple[str, int, str]] = []
        self.silent = False

    def to(self, host: str, port: int, transport: str, name: str = "") -> Deferred[Flow]:
        self.asked.append((host, port, transport))
        opening: Deferred[Flow] = Deferred()
        if self.silent:
            return opening
        if self.next is None:
            return fail(OSError("nobody listens"))
        opening.callback(self.next)
        return opening


class RecordingStream:
    """Media of which only the events are real."""

    format = FORMATS["PCMU"]

    def __init__(self) -> None:
        self.agreements: list[tuple[Agreed, str]] = []
        self.listener: LegListener | None = None
        self.payloads: list[bytes] = []
        self.digits = ""
        self.events = True  # telephone-event is agreed on
        self.held = False
        self.closed = 0

    def agree(self, agreed: Agreed, signalling_host: str) -> None:
        self.agreements.append((agreed, signalling_host))
        self.events = agreed.event is not None
        format = FORMATS[agreed.codec.name]
        if format != self.format:
            self.format = format
            if self.listener is not None:
                self.listener.format_changed(format)
        if agreed.held is not self.held:
            self.held = agreed.held
            if self.listener is not None:
                self.listener.hold_changed(self.held)

    def begin(self, flowing: Callable[[], None]) -> None:
        pass

    def listen(self, listener: LegListener) -> None:
        self.listener = listener

    def send_audio(self, payload: bytes) -> None:
        if not self.closed:
            self.payloads.append(payload)

    def send_digits(self, digits: str) -> bool:
        if self.events:
            self.digits += digits
        return self.events

    def measures(self) -> Mapping[str, tuple[str, Mapping[str, object]]]:
        return {"media.mos": ("4.3", {})}

    def close(self) -> None:
        self.closed += 1


class RecordingListener:
    """The call."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.ends: list[End] = []

    def audio_received(self, payload: bytes, sequence: int | None = None) -> None:
        self.told.append(payload)

    def format_changed(self, format: AudioFormat) -> None:
        self.told.append(format)

    def digit_received(self, digit: str) -> None:
        self.told.append(digit)

    def audio_lost(self, seconds: float) -> None:
        self.told.append(("lost", seconds))

    def audio_paused(self, seconds: float) -> None:
        self.told.append(("paused", seconds))

    def alive(self) -> None:
        self.told.append("alive")

    def hold_changed(self, held: bool) -> None:
        self.told.append(("held", held))

    def mark_heard(self, name: str) -> None:
        self.told.append(("mark", name))

    def far_end_full(self, full: bool) -> None:
        self.told.append(("full", full))

    def leg_ended(self, end: End) -> None:
        self.ends.append(end)


class Board:
    """Stack and Core: dialogs of their own, everything else is given to `new`."""

    def __init__(self, clock: IReactorTime, flows: Flows) -> None:
        self.clock = clock
        self.now = clock.seconds
        self.random = Random(1)
        self.settings = SipSettings(US)
        self.transactions = Transactions(clock, self)
        self.dialogs = Dialogs()
        self.flows = flows
        self.strayed: list[Response] = []
        self.calls: dict[tuple[str, str, str], Flow] = {}
        self.new: Callable[[ServerTransaction], object] = lambda transaction: None

    def contact(self, flow: Flow) -> str:
        return f"<sip:{flow.local[0]}:{flow.local[1]}>"

    def open_line(self, flow: Flow, learning: str = "") -> tuple[Offers, Stream]:
        raise NotImplementedError

    def calling(self, dialog: Dialog, flow: Flow) -> None:
        self.calls[dialog.id] = flow

    def request_received(self, request: Request, flow: Flow) -> None:
        user = self.dialogs.find(request)
        if user is not None:
            invited = user if isinstance(user, Session) else None
            user.request_received(self.transactions.accept(request, flow, invited))
        elif request.to.tag:
            self.transactions.accept(request, flow).respond(request.answer(481))
        else:
            self.new(self.transactions.accept(request, flow, _Passing(self)))

    def ack_received(self, ack: Request, flow: Flow) -> None:
        user = self.dialogs.find(ack)
        if user is not None:
            user.ack_received(ack)

    def response_strayed(self, response: Response, flow: Flow) -> None:
        self.strayed.append(response)

    session: Session  # of the INVITE that is taken


class _Passing:
    """The owner of a first INVITE, so far as a session needs it."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def cancelled(self, cancel: Request) -> None:
        self._board.session.abandon()

    def not_acknowledged(self) -> None:
        self._board.session.not_acknowledged()


_is_media: type[Stream] = RecordingStream
_is_flow: type[Flow] = MemoryFlow
_listens: type[LegListener] = RecordingListener


class SessionCase(SynchronousTestCase):
    """`called`: they call us; the session is made of their INVITE. `transport` is the way's."""

    transport = "UDP"
    codecs = ("PCMU", "PCMA")

    def setUp(self) -> None:
        self.clock = Clock()
        self.flows = MemoryFlows()
        self.board = Board(self.clock, self.flows)
        self.flow = MemoryFlow(self.transport)
        self.stream = RecordingStream()
        self.media: Stream = self.stream
        self.listener = RecordingListener()
        self.ended: list[End] = []
        self.established = 0
        self.login: Login | None = None
        self.place: Place | None = None
        self.cseq = 100
        self.our_tag, self.their_tag = "", "147a"
        self.call_id = "9bf1@10.0.0.5"
        self.local = "<sip:15551234567@203.0.113.10>"  # what they call us
        self.board.new = self.take

    def tearDown(self) -> None:
        """However it went, in the end nothing is left."""
        session = getattr(self.board, "session", None)
        if session is not None:
            session.hang_up()
            self.assertTrue(self.media is not self.stream or self.stream.closed)
        self.clock.pump([1.0] * 70)
        self.assertEqual(len(self.board.dialogs), 0)
        self.board.transactions.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    # -- the far side -----------------------------------------------------------------------------

    def request(
        self,
        method: str,
        body: bytes = b"",
        headers: Fields = (),
        cseq: int | None = None,
        flow: MemoryFlow | None = None,
    ) -> int:
        """A request of theirs; its CSeq number."""
        if cseq is None and method != "ACK":
            self.cseq += 1
        number = self.cseq if cseq is None else cseq
        tag = f";tag={self.our_tag}" if self.our_tag else ""
        content = [] if not body else [("Content-Type", "application/sdp")]
        given = dict(headers)
        branch = f"z9hG4bK{number}{'ack' if method == 'ACK' else ''}"
        fields = [
            ("Via", f"SIP/2.0/{self.transport} {THEM}:5060;rport;branch={branch}"),
            ("From", f'"Bob" <sip:bob@198.51.100.7>;tag={self.their_tag}'),
            ("To", f"{self.local}{tag}"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
            *(() if "Contact" in given else [("Contact", f"<sip:bob@{THEM}:5060>")]),
            *(() if "Content-Type" in given else content),
            *headers,
        ]
        head = f"{method} sip:{US}:5090 SIP/2.0\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields)
        data = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self.board.transactions.received(parse(data), flow or self.flow)
        return number

    def reply(self, request: Request, status: int, headers: Fields = (), body: bytes = b"") -> None:
        """Their answer to a request of ours."""
        response = request.answer(status, to_tag="147a")
        for name, value in headers:
            response.headers.set(name, value)
        if body:
            response.headers.set("Content-Type", "application/sdp")
            response.body = body
        self.board.transactions.received(parse(response.encode()), self.flow)

    def responses(self, number: int, method: str = "") -> list[Response]:
        """What we have answered to their request of that CSeq number, repetitions too."""
        return [
            message
            for message in self.flow.sent
            if isinstance(message, Response)
            and message.cseq[0] == number
            and method in ("", message.cseq[1])
        ]

    def answer_to(self, method: str, body: bytes = b"", headers: Fields = ()) -> Response:
        """The one answer to a request of theirs."""
        number = self.request(method, body, headers)
        (response,) = self.responses(number)
        return response

    def asked(self, method: str) -> list[Request]:
        """Requests of ours, repetitions too."""
        sent = (message for message in self.flow.sent if isinstance(message, Request))
        return [message for message in sent if message.method == method]

    def tries(self, method: str) -> list[Request]:
        """Requests of ours without their repetitions."""
        return list({request.cseq: request for request in self.asked(method)}.values())

    def ask(self, method: str) -> Request:
        """The one request of ours."""
        (request,) = self.asked(method)
        return request

    # -- ways to a call ---------------------------------------------------------------------------

    def take(self, transaction: ServerTransaction) -> None:
        """Their INVITE becomes a session."""
        request = transaction.request
        negotiator = self.negotiator()
        if request.sdp:
            negotiator.answer(request.sdp, False)
        self.make(Dialog.answering(request, "f3b1c9d2"), negotiator, request)
        self.our_tag = "f3b1c9d2"
        self.invite = transaction

    def negotiator(self) -> Negotiator:
        return Negotiator(US, 10042, Capabilities(self.codecs), 8812)

    def make(self, dialog: Dialog, negotiator: Negotiator, invite: Request) -> Session:
        allowed = invite.headers.tokens("Allow")
        self.session = Session(
            self.board,
            dialog,
            self.flow,
            negotiator,
            self.media,
            invite,
            SessionTimer(),
            allowed,
            self.ended.append,
            self.login,
            self.place,
        )
        self.session.on_established = self.on_established
        self.board.session = self.session
        return self.session

    def on_established(self) -> None:
        self.established += 1

    def call(self, body: bytes | None = None, headers: Fields = ()) -> int:
        """They call and we answer; without the ACK. The CSeq number of the INVITE."""
        number = self.request("INVITE", sdp() if body is None else body, headers)
        self.session.ring(self.invite)
        self.session.answer(self.invite)
        return number

    def up(self, headers: Fields = (("Allow", "INVITE, BYE, UPDATE, INFO, REFER"),)) -> None:
        """A call that runs, and is listened to; what has been said so far is forgotten."""
        number = self.call(headers=headers)
        self.request("ACK", cseq=number)
        self.session.listen(self.listener)
        self.flow.sent.clear()

    def calling(self, headers: Fields = ()) -> Request:
        """We call: the session is made of a 2xx of theirs."""
        negotiator = self.negotiator()
        invite = Request("INVITE", f"sip:bob@{THEM}:5060")
        for name, value in (
            ("From", f"<sip:assistant@{US}>;tag=ours"),
            ("To", f"<sip:bob@{THEM}>"),
            ("Call-ID", "9bf1@10.0.0.5"),
            ("CSeq", "1 INVITE"),
            ("Max-Forwards", "70"),
            *headers,
        ):
            invite.headers.add(name, value)
        invite.body = negotiator.offer()
        self.our_tag, self.local, self.offers = "ours", f"<sip:assistant@{US}>", negotiator
        return invite

    def provisional(
        self, invite: Request, status: int, headers: Fields = (), body: bytes = b""
    ) -> Response:
        """A response of theirs to our first INVITE."""
        request = Request("INVITE", invite.uri, invite.headers.copy(), b"")
        request.headers.first("Via", f"SIP/2.0/UDP {US}:5090;branch=z9hG4bK1")
        response = request.answer(status, to_tag="147a")
        fields = [("Contact", f"<sip:bob@{THEM}:5060>"), *headers]
        for name, value in fields:
            response.headers.add(name, value)
        if body:
            response.headers.set("Content-Type", "application/sdp")
            response.body = body
        received = parse(response.encode())
        assert isinstance(received, Response)
        return received

    def connected(self, headers: Fields = (), **described: str) -> Session:
        """We have called, and it is answered."""
        invite = self.calling()
        response = self.provisional(invite, 200, headers, sdp(**described))  # type: ignore[arg-type]
        session = self.make(Dialog.asked(invite, response), self.offers, invite)
        session.established(response)
        session.listen(self.listener)
        return session
