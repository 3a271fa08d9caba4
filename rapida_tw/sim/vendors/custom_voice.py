"""A vendor that there is not, for voices by rules: JSON messages of its own over a WebSocket.

A client sends `{"say": TEXT, "id": ID}`, `{"end": ID}` and `{"stop": ID}`; it is told
`{"kind": "sound", "id": ID, "data": BASE64}` and `{"kind": "over", "id": ID}`, also of what it has
stopped, and `{"kind": "fault", "why": TEXT}`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.delivery import Delivery, Manners, Teller
from rapida_tw.sim.vendors.speaking import LINEAR, Piece, Spoken

_RATES = ("8000", "16000", "24000")


class CustomVoice:
    """`heard`: every client message of all its sessions, with its time."""

    hosts: tuple[str, ...] = ("voice.custom.example",)

    def __init__(self, key: str = "custom-key") -> None:
        self.key = key
        self.manners = Manners()
        self.heard: list[tuple[float, dict[str, Any]]] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            after = self.manners.retry_after
            return Refusal(status, "refused", {"Retry-After": after} if after else {})
        if asked.headers.get("x-custom-key") != self.key:
            return Refusal(401, "wrong key")
        if asked.one("rate") not in _RATES:
            return Refusal(400, "wrong rate")
        return _Socket(self, line, int(asked.one("rate")))

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, "not found")


class _Socket:
    """One connection; texts by their ids."""

    def __init__(self, vendor: CustomVoice, line: Line, rate: int) -> None:
        self.vendor = vendor
        self.line = line
        self.rate = rate
        self.texts: dict[str, _Text] = {}

    def opened(self) -> None:
        """The client speaks first."""

    def received(self, message: bytes, binary: bool) -> None:
        try:
            fields = json.loads(message)
        except ValueError:
            fields = None
        if binary or not isinstance(fields, dict):
            self.line.close(1008, "that is no message")
            return
        self.vendor.heard.append((self.line.clock.seconds(), fields))
        if "say" in fields:
            name = str(fields.get("id"))
            self.texts[name] = _Text(self, name, str(fields["say"]))
        elif (text := self.texts.get(str(fields.get("end")))) is not None:
            text.begin()
        elif (text := self.texts.get(str(fields.get("stop")))) is not None:
            text.stop()
        else:
            self.line.send({"kind": "fault", "why": "nobody knows what that is"})

    def closed(self, code: int) -> None:
        for text in self.texts.values():
            text.end()


class _Text:
    """One text on its way."""

    def __init__(self, socket: _Socket, name: str, text: str) -> None:
        self._socket = socket
        self._name = name
        self._text = text
        self._delivery: Delivery | None = None

    def begin(self) -> None:
        socket = self._socket
        spoken = Spoken(self._text, socket.rate, LINEAR)
        self._delivery = Delivery(socket.line.clock, spoken, socket.vendor.manners, self)

    def stop(self) -> None:
        if self._delivery is not None:
            self._delivery.cancel()

    def end(self) -> None:
        if self._delivery is not None:
            self._delivery.end()

    def sound(self, piece: Piece) -> None:
        data = b64encode(piece.payload).decode()
        self._socket.line.send({"kind": "sound", "id": self._name, "data": data})

    def done(self) -> None:
        self._socket.line.send({"kind": "over", "id": self._name})

    def stopped(self) -> None:
        self.done()

    def garbage(self) -> None:
        self._socket.line.send({"kind": "sound", "id": self._name, "data": "?"})

    def error(self) -> None:
        self._socket.line.send({"kind": "fault", "why": "out of breath"})

    def drop(self) -> None:
        self._socket.line.drop()


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (CustomVoice, _Socket, _Text)
