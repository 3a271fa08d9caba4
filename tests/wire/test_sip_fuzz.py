"""SIP messages that are none: whatever comes, nothing but Malformed."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from rapida_tw.wire.sip_message import Malformed, Request, parse
from tests.wire.sip_samples import ANSWERED, INVITE


def survives(data: bytes) -> None:
    """Either Malformed, or a message whose every view and form can be had."""
    try:
        message = parse(data)
    except Malformed as fault:
        if fault.request is not None:
            fault.request.stamp("10.0.0.9", 4000)
            fault.request.answer(fault.status, str(fault), to_tag="x").encode()
        return
    for _ in range(2):
        assert message.via.transport
        assert message.call_id
        assert message.cseq[0] < 2**31
        assert isinstance(message.from_.tag + message.to.tag, str)
        assert message.contact is None or str(message.contact)
        assert isinstance(message.sdp, bytes)
        for name, _value in message.headers:
            message.headers.values(name)
            message.headers.tokens(name)
    if isinstance(message, Request):
        message.stamp("10.0.0.9", 4000)
        message.answer(200, to_tag="x").encode()
    again = parse(message.encode())
    assert again.encode() == message.encode()


@given(st.binary(max_size=300))
@example(b"\r")
@example(b"A sip:a SIP/2.0\n\n")
def test_any_bytes(data: bytes) -> None:
    """Nothing but Malformed."""
    survives(data)


_PIECES = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b";", b",", b'"', b"\\", b"<", b">", b"@", b"%00",
     b"\xff", b"\x00", b"Via: ", b"To: ", b"sip:", b"SIP/2.0", b"INVITE", b"4", b"99999999999",
     b"=", b"[", b"]", b"*", b"?", b";tag=", b"\xe2\x80\xa8", b"\xc2\x85", b"\x1c", b"\x0b"]
)  # fmt: skip


@given(
    st.sampled_from([INVITE, ANSWERED]),
    st.lists(st.tuples(st.integers(0, len(INVITE)), st.integers(0, 4), _PIECES), max_size=4),
)
def test_mutated(data: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    """A valid message that was damaged here and there."""
    for place, length, piece in changes:
        data = data[:place] + piece + data[place + length :]
    survives(data)


@given(st.integers(0, len(INVITE)))
def test_cut_off(length: int) -> None:
    """A datagram that was cut short."""
    survives(INVITE[:length])
