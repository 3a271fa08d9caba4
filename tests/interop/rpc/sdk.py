"""Rapida's own library for Python, unmodified, and what the tests need around it."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from threading import Thread
from typing import Any

import pytest

from tests.interop.asterisk import wait_until

rapida = pytest.importorskip("rapida", reason="the package rapida-python is not installed")

from rapida.clients.protos import (  # noqa: E402
    assistant_api_pb2,
    assistant_deployment_pb2,
    assistant_provider_pb2,
    common_pb2,
    talk_api_pb2,
    talk_api_pb2_grpc,
    vault_api_pb2,
)

__all__ = [
    "assistant_api_pb2",
    "assistant_deployment_pb2",
    "assistant_provider_pb2",
    "common_pb2",
    "rapida",
    "talk_api_pb2",
    "talk_api_pb2_grpc",
    "vault_api_pb2",
]


def configuration(address: str, key: str, insecure: bool = True) -> Any:
    """As its users make one; all three of its services are at one address."""
    auth = rapida.ConnectionConfig.with_sdk(key)
    made = rapida.ConnectionConfig.default_connection_config(auth)
    made.with_custom_endpoint(dict.fromkeys(("assistant", "web", "endpoint"), address), insecure)
    return made


def call_request(assistant_id: int, to: str, **more: Any) -> Any:
    named = rapida.AssistantDefinition(assistantId=assistant_id, version="latest")
    return rapida.CreatePhoneCallRequest(assistant=named, toNumber=to, **more)


def pairs(options: Mapping[str, str]) -> list[Any]:
    return [common_pb2.Metadata(key=key, value=value) for key, value in options.items()]


class Busy:
    """A SIP server that answers every INVITE with 486, and keeps them."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.invites: list[str] = []
        Thread(target=self._answer, daemon=True).start()

    def invite(self, number: str) -> str:
        """That to a number."""
        wanted = f"INVITE sip:{number}@"

        def came() -> bool:
            return any(one.startswith(wanted) for one in self.invites)

        wait_until(came, 15, f"an INVITE to {number}", lambda: str(self.invites))
        return next(one for one in self.invites if one.startswith(wanted))

    def close(self) -> None:
        self._socket.close()

    def _answer(self) -> None:
        while True:
            try:
                data, where = self._socket.recvfrom(65_536)
            except OSError:
                return
            request = data.decode("utf-8", "replace")
            if request.startswith("INVITE "):
                self.invites.append(request)
                self._socket.sendto(_busy(request), where)


def _busy(request: str) -> bytes:
    head = request.split("\r\n\r\n")[0].split("\r\n")[1:]
    wanted = ("via", "from", "to", "call-id", "cseq")
    same = [one for one in head if one.split(":")[0].strip().lower() in wanted]
    tagged = [f"{one};tag=b" if one.lower().startswith("to:") else one for one in same]
    return "\r\n".join(["SIP/2.0 486 Busy Here", *tagged, "Content-Length: 0", "", ""]).encode()
