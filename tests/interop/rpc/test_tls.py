"""One TLS port for both: ALPN says who is who."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.certificate import Certificate
from tests.interop.server import Server

_PROGRAM = """\
import sys
from tests.interop.rpc.sdk import call_request, configuration, rapida
sdk = configuration(sys.argv[1], sys.argv[2], insecure=False)
print(rapida.create_phone_call(sdk, call_request(7, "")).error.errorCode)
"""


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["h2", "http/1.1"], "http/1.1"),  # a browser, curl
        (["http/1.1"], "http/1.1"),
        (["h2"], "h2"),  # gRPC
        ([], None),
    ],
)
def test_alpn(
    secure_server: Server, certificate: Certificate, offered: list[str], chosen: str | None
) -> None:
    """Whoever offers both wants pages."""
    context = ssl.create_default_context(cafile=str(certificate.certificate))
    if offered:
        context.set_alpn_protocols(offered)
    with (
        socket.create_connection(("127.0.0.1", secure_server.http), 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        assert connection.selected_alpn_protocol() == chosen
        if chosen != "h2":
            connection.sendall(b"GET /healthz/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.recv(1_000).startswith(b"HTTP/1.1 200")


def test_sdk(secure_server: Server, certificate: Certificate) -> None:
    """The library without its debug switch, in a process of its own: trust is by environment."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, f"localhost:{secure_server.http}", secure_server.api_key],
        env={"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate.certificate)},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "1002003", done.stderr
