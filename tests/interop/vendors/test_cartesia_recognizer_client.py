"""Cartesia's own client understands our fake of Ink."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.vendors.fakes import RATE, fake, pieces, silence, spoken

cartesia = pytest.importorskip("cartesia", reason="the package cartesia is not installed")
pytest.importorskip("websockets", reason="the package websockets is not installed")

KEY = "cartesia-key-of-a-test"
FORMAT = {"model": "ink-2", "encoding": "pcm_s16le", "sample_rate": RATE}


@pytest.fixture
def port() -> Iterator[int]:
    with fake("cartesia_recognizer", script=["book a table"], key=KEY) as number:
        yield number


def stt(port: int, key: str = KEY) -> Any:
    return cartesia.Cartesia(api_key=key, base_url=f"http://127.0.0.1:{port}").stt


def test_turns(port: int) -> None:
    """It hears a turn start, grow and end, in its own types."""
    with stt(port).auto_finalize.websocket(**FORMAT, keyterm=["New York"]) as session:
        for piece in pieces(spoken(0.9) + silence(0.4)):
            session.send_raw(piece)
        heard = [session.recv() for _ in range(7)]
        session.send({"type": "config", "turn": {"end_timeout_ms": 700}})
        session.send({"type": "close"})
    assert [one.type for one in heard] == [
        *("connected", "turn.start", "turn.update", "turn.update", "turn.update"),
        *("turn.eager_end", "turn.end"),
    ]
    assert heard[-1].transcript == "book a table"


def test_manual(port: int) -> None:
    """It hears pieces, which it puts together, and that they are all."""
    with stt(port).manual_finalize.websocket(**FORMAT, language="en") as session:
        for piece in pieces(spoken(0.9)):
            session.send_raw(piece)
        session.send("finalize")
        heard = []
        while not heard or heard[-1].type != "flush_done":
            heard.append(session.recv())
        session.send("close")
        done = session.recv()
    said = "".join(one.text for one in heard if one.type == "transcript" and one.is_final)
    assert said == "book a table "
    assert done.type == "done"


def test_wrong_key(port: int) -> None:
    """It is refused at the handshake."""
    manual = stt(port, "another").manual_finalize
    with pytest.raises(Exception, match="401"), manual.websocket(**FORMAT):
        pass
