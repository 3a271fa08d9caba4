"""One HTTP request to a fake, in virtual time, without a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twisted.internet.task import Clock

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Reply


class RecordedReply:
    """`status` 0: there is no answer yet."""

    def __init__(self, clock: Clock) -> None:
        self.clock: Any = clock
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.over = False
        self.gone = False

    def head(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers.update(headers or {})

    def write(self, data: bytes) -> None:
        self.body += data

    def end(self) -> None:
        self.over = True

    def whole(self, status: int, body: bytes | str | Mapping[str, Any] | list[Any]) -> None:
        if isinstance(body, Mapping | list):
            body = json.dumps(body)
        self.head(status)
        self.write(body if isinstance(body, bytes) else body.encode())
        self.end()

    def drop(self) -> None:
        self.over = True


class HttpCase(RecordedReply):
    """Asked, and answered within two seconds."""

    def __init__(
        self,
        fake: FakeVendor,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> None:
        super().__init__(Clock())
        fake.answer(Asked(method, path, {}, headers or {}, body), self)
        self.clock.pump([0.01] * 200)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


_conforms: type[Reply] = RecordedReply
