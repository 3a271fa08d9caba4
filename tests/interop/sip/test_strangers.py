"""Many calls at once, messages that are none, and those who only look for open doors."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.interop.server import Server
from tests.interop.sip.conftest import Sipping

TORTURE = sorted((Path(__file__).parents[2] / "data" / "sip").glob("*.sip"))
RATE, CALLS = 50, 500  # a second, in all
JUNK = (
    b"",
    b"\r\n\r\n",
    b"\x00" * 2_000,
    b"\xff\xfe" * 500,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"INVITE sip:1@127.0.0.1 SIP/2.0\r\n\r\n",
    b"INVITE sip:1@127.0.0.1 SIP/2.0\r\n" + b"Via: SIP/2.0/UDP 127.0.0.1\r\n" * 2_000,
    b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)


def own_address() -> str:
    """Of this machine, not the one by which it calls itself."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no address but 127.0.0.1")
        return str(probe.getsockname()[0])


def test_load(sipp: Sipping, quiet_assistant: str) -> None:
    """Fifty calls a second for ten seconds, and none of them fails."""
    run = sipp(
        "load", "-r", str(RATE), "-m", str(CALLS), "-l", str(CALLS), assistant=quiet_assistant
    ).wait(200)
    assert run.count("SuccessfulCall") == CALLS
    assert run.count("FailedCall") == 0


def test_torture(sipp: Sipping, server: Server) -> None:
    """After the torture messages of RFC 4475, and junk, by UDP and TCP, calls are taken as ever."""
    for message in [*JUNK, *(path.read_bytes() for path in TORTURE)]:
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(message[:60_000], ("127.0.0.1", server.sip))
        with socket.create_connection(("127.0.0.1", server.sip), 10) as stream:
            stream.sendall(message)
    sipp("basic").wait()
    sipp("basic", "-t", "t1").wait()
    assert "Traceback" not in server.log()


def test_scanner(sipp: Sipping) -> None:
    """Who calls itself a scanner hears nothing, others at that address are answered."""
    address = own_address()
    scanner = sipp("scanner", source=address)
    sipp("options", source=address).wait()
    scanner.wait()
    assert scanner.received() == []
