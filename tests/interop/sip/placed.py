"""Calls that the server places through SIP trunks, each with an assistant of its own."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.models.receptionist import receptionist
from tests.interop.asterisk import wait_until
from tests.interop.server import Server

CALLER = "+15550008888"
_numbers = itertools.count(1)
_STORY = ("call.queued", "channel_created", "call.ringing", "call.answered", "call.connected")


def fresh_number() -> str:
    """A number that nobody else calls."""
    return f"+1555700{next(_numbers):04d}"


def trunk(server: Server, address: str, **value: str) -> str:
    """The id of a receptionist who calls through the trunk at that address."""
    document = {"name": address, "provider": "sip", "value": {"sip_server": address, **value}}
    credential = server.send("POST", "/v1/credentials", document)
    assistant = server.send("POST", "/v1/assistants", receptionist()["assistant"])["id"]
    deployment = {
        **receptionist()["deployment"],
        "provider": "sip",
        "credentialId": credential["id"],
        "options": {"phone": CALLER},
    }
    server.send("PUT", f"/v1/assistants/{assistant}/phone-deployment", deployment)
    return str(assistant)


def place(server: Server, assistant: str, number: str = "", **options: Any) -> Placed:
    """Have it called over the API; an `HTTPError` where that is refused."""
    number = number or fresh_number()
    document = {"assistantId": assistant, "toNumber": number, "options": options}
    return Placed(server, number, server.send("POST", "/v1/calls", document)["id"])


class Placed:
    """A call that the server was asked for."""

    def __init__(self, server: Server, number: str, call_id: str) -> None:
        self.number = number
        self.id = call_id
        self._server = server

    def ask(self, action: str, **document: Any) -> None:
        """Steer it over the API."""
        self._server.send("POST", f"/v1/calls/{self.id}/{action}", document)

    def status(self) -> str:
        """So far."""
        return str(self.document()["status"])

    def wait_for(self, status: str, seconds: float = 20) -> None:
        """Until it has got so far."""
        wait_until(lambda: self.status() == status, seconds, status, self.document)

    def over(self, seconds: float = 30) -> Mapping[str, Any]:
        """What is remembered of it, once it is over."""
        ends = "ended", "failed"
        wait_until(lambda: self.status() in ends, seconds, "its end", self.document)
        return self.document()

    def events(self, name: str) -> list[Mapping[str, Any]]:
        """What such events of its history tell."""
        return [one["data"] for one in self.document()["events"] if one["name"] == name]

    def story(self) -> Sequence[str]:
        """The steps that it has taken until it was connected, in their order."""
        return [one["name"] for one in self.document()["events"] if one["name"] in _STORY]

    def document(self) -> Any:
        """The conversation, as it is now."""
        return self._server.data(f"/v1/conversations/{self.id}")
