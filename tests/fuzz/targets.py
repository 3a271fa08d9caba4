"""What is fuzzed: each target takes any bytes, and lets nothing out but what it is allowed to.

`SEEDS` are where the fuzzer begins; the tests run them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.sip.counters import failures
from rapida_tw.wire import rtcp, sdp
from rapida_tw.wire.sdp_negotiation import Capabilities, Negotiator
from rapida_tw.wire.sip_message import Malformed, parse
from rapida_tw.wire.sip_stream import SipStream
from tests.sip.house import Endpoint
from tests.wire import rtp_phone as phone

DATA = Path(__file__).parents[1] / "data"
# Between the messages of one input: a byte that no honest message has.
BETWEEN = b"\0\xff\0"

_ALL = Capabilities(("G722", "opus", "L16", "PCMU", "PCMA"), "optional", srtp_available=True)


def message(data: bytes) -> None:
    """The parser: `Malformed`, or a message that can be written and read again."""
    with suppress(Malformed):
        again = parse(data).encode()
        assert parse(again).encode() == again


def stream(data: bytes) -> None:
    """A connection's bytes, however they are cut."""
    whole, pieces = SipStream(), SipStream()
    with suppress(Malformed):
        at_once = whole.feed(data)
        piecewise = [one for byte in data for one in pieces.feed(bytes((byte,)))]
        assert at_once == piecewise


def agent(data: bytes) -> None:
    """The user agent: several messages of one peer, with time between them.

    Nothing is raised, no error of ours is counted, and in the end nothing is left.
    """
    endpoint = Endpoint()
    before = failures.value()
    for piece in data.split(BETWEEN):
        endpoint.agent.received(piece, endpoint.flow)
        endpoint.clock.advance(0.3)
    assert failures.value() == before
    endpoint.agent.close()


def description(data: bytes) -> None:
    """SDP, as an offer and as the answer to one of ours."""
    for answers in (False, True):
        negotiator = Negotiator("203.0.113.10", 10_000, _ALL, 1)
        with suppress(RemoteProtocolError):
            if answers:
                negotiator.offer()
                negotiator.answered(data)
            else:
                negotiator.answer(data, secure=True)
                answered, offered = sdp.parse(negotiator.local), sdp.parse(data)
                assert len(answered.media) == len(offered.media)


def media(data: bytes) -> None:
    """RTP: packets of up to 255 bytes, each behind a byte with its length."""
    receiver = phone.receiver()
    now, at = 0.0, 0
    while at < len(data):
        packet = data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]
        now += 0.02
        list(receiver.arrived(packet, phone.PEER, now))
        list(receiver.due(now))


def reports(data: bytes) -> None:
    """RTCP."""
    with suppress(RemoteProtocolError):
        rtcp.parse(data)


def _files(folder: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((DATA / folder).iterdir()) if path.is_file()]


def _calls() -> list[bytes]:
    """A call with its ACK and BYE, and one that is given up."""
    endpoint = Endpoint()
    invite = endpoint.invite(branch="z9hG4bKa")
    endpoint.send(invite)
    answer = endpoint.answers()[-1]
    ack = endpoint.ack(answer)  # type: ignore[arg-type]
    bye = endpoint.request("BYE", cseq=2, to_tag=answer.to.tag)
    cancel = endpoint.request("CANCEL", invite.uri, branch="z9hG4bKa")
    texts = [one.encode() for one in (invite, ack, bye)]
    endpoint.agent.close()
    return [BETWEEN.join(texts), BETWEEN.join((texts[0], cancel.encode())), texts[0]]


_EVENT = bytes.fromhex("80e513000002 0000cafebabe 050a00a0".replace(" ", ""))
_SOUND = bytes.fromhex("8000130100020000cafebabe") + b"\xff" * 160
_REPORT = bytes.fromhex(
    "81c8000ccafebabeecedafc08000000000040000000005dc0003a980"
    "112233440d000019000156780000002212345678 00010000".replace(" ", "")
)

TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "message": message,
    "stream": stream,
    "agent": agent,
    "description": description,
    "media": media,
    "reports": reports,
}
SEEDS: Mapping[str, Callable[[], Sequence[bytes]]] = {
    "message": lambda: _files("sip"),
    "stream": lambda: _files("sip")[:20],
    "agent": lambda: [*_calls(), *_files("sip")],
    "description": lambda: _files("sdp"),
    "media": lambda: [b"".join(bytes((len(one),)) + one for one in (_SOUND, _EVENT) * 3)],
    "reports": lambda: [_REPORT],
}
