"""chan_websocket takes whole frames alone: what is longer or shorter than a tick is fitted."""

from __future__ import annotations

import pytest

from rapida_tw.carriers.asterisk_media import AsteriskMedia
from rapida_tw.carriers.base import Message

FRAME = bytes(range(160))


def wire_for(size: int, codec: str = "ulaw") -> AsteriskMedia:
    """A started one, whose Asterisk has frames of `size` bytes."""
    wire = AsteriskMedia()
    wire.received(f"MEDIA_START format:{codec} optimal_frame_size:{size}".encode(), False)
    return wire


def test_frame() -> None:
    """A tick is a frame is a message."""
    assert wire_for(160).audio(FRAME) == (Message(FRAME, True),)


@pytest.mark.parametrize("size", [80, 160, 240, 320, 480, 100])
def test_whole_frames(size: int) -> None:
    """Messages are multiples of Asterisk's frame, for it throws the rest away; no byte is lost."""
    wire = wire_for(size)
    sent = [message for _ in range(15) for message in wire.audio(FRAME)]
    assert all(message.binary and not len(message.payload) % size for message in sent)
    together = b"".join(message.payload for message in sent)
    assert together == (FRAME * 15)[: len(together)]
    assert len(FRAME) * 15 - len(together) < size


@pytest.mark.parametrize(
    ("name", "silence"), [("ulaw", b"\xff"), ("alaw", b"\xd5"), ("slin", b"\0")]
)
def test_mark_behind_all(name: str, silence: bytes) -> None:
    """What was gathered for a longer frame goes out before the mark, filled up with silence."""
    wire = wire_for(240, name)
    assert wire.audio(FRAME) == ()
    assert wire.mark("1.1") == (Message(FRAME + 80 * silence, True), Message(b"MARK_MEDIA 1.1"))
    assert wire.audio(FRAME) == ()


def test_clear_drops_the_rest() -> None:
    """What was gathered before an interruption is not said after it."""
    wire = wire_for(240)
    wire.audio(FRAME)
    wire.clear()
    assert wire.audio(FRAME + FRAME) == (Message((FRAME + FRAME)[:240], True),)
