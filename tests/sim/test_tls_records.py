from __future__ import annotations

from twisted.internet.testing import StringTransport

from rapida_tw.sim.tls_records import OneFrameARecord
from tests.sim.peers import Server

UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


def frame(size: int) -> bytes:
    """A server's binary frame."""
    if size < 126:
        return bytes((0x82, size)) + bytes(size)
    if size < 65_536:
        return b"\x82\x7e" + size.to_bytes(2, "big") + bytes(size)
    return b"\x82\x7f" + size.to_bytes(8, "big") + bytes(size)


def connected() -> tuple[OneFrameARecord, Server]:
    client = Server()
    between = OneFrameARecord(client)
    between.makeConnection(StringTransport())
    between.dataReceived(UPGRADE)
    client.pieces.clear()
    return between, client


def test_one_a_record() -> None:
    """Of two frames in a record only the first is read; the second when something more comes."""
    between, client = connected()
    between.dataReceived(frame(3) + frame(4))
    assert client.pieces == [frame(3)]
    assert between.waiting == len(frame(4))
    between.dataReceived(frame(5))
    assert client.pieces == [frame(3), frame(4)]


def test_sizes() -> None:
    """Frames of every kind of length are found, also over several records."""
    between, client = connected()
    for size in (0, 125, 126, 65_535, 65_536):
        whole = frame(size)
        between.dataReceived(whole[:1])
        between.dataReceived(whole[1:3])
        between.dataReceived(whole[3:])
        assert client.pieces.pop() == whole
    assert between.waiting == 0


def test_handshake() -> None:
    """The answer to the handshake is read first, alone."""
    client = Server()
    between = OneFrameARecord(client)
    between.makeConnection(StringTransport())
    between.dataReceived(UPGRADE[:10])
    assert client.pieces == []
    between.dataReceived(UPGRADE[10:] + frame(1))
    assert client.pieces == [UPGRADE]


def test_end() -> None:
    """The end of the connection is the client's."""
    between, client = connected()
    between.connectionLost()
    assert client.lost is not None
