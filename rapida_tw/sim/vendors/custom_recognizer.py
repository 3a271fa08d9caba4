"""A vendor that there is not, for recognisers by rules: JSON messages of its own over a WebSocket.

A client sends `{"pcm": BASE64}` and, at the end of a turn, `{"finish": true}`; it is told
`{"kind": "words", "said": TEXT, "settled": BOOL, "sure": 0..1}`, which is also the answer to
`finish` when nothing was said, and `{"kind": "fault", "why": TEXT}`.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller


class CustomRecognizer:
    """`sessions`: all so far."""

    hosts: tuple[str, ...] = ("ear.custom.example",)

    def __init__(self, script: Sequence[str] = (), key: str = "custom-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[_Listening] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return Refusal(status, f"refused with {status}")
        if asked.headers.get("x-custom-key") != self.key:
            return Refusal(401, "wrong key")
        if asked.one("rate") not in ("8000", "16000"):
            return Refusal(400, "wrong rate")
        session = _Listening(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, "not found")


class _Listening:
    """One connection."""

    def __init__(self, vendor: CustomRecognizer, asked: Asked, line: Line) -> None:
        self.asked = asked
        self._line = line
        rate = int(asked.one("rate"))
        script, manners = vendor.script, vendor.manners
        self._ear = Ear(line.clock, script, manners, self, "linear16", rate, None)

    def opened(self) -> None:
        """The client speaks first."""

    def received(self, message: bytes, binary: bool) -> None:
        try:
            fields = json.loads(message)
            audio = b64decode(fields.get("pcm", ""), validate=True)
        except (ValueError, NotBase64, AttributeError, TypeError):
            self._line.close(1008, "that is no message")
            return
        if audio:
            self._ear.hear(audio)
        elif not fields.get("finish"):
            self._line.send({"kind": "fault", "why": "nobody knows what that is"})
        elif not self._ear.flush():
            self._say("", True)

    def closed(self, code: int) -> None:
        self._ear.stop()

    def _say(self, said: str, settled: bool) -> None:
        self._line.send({"kind": "words", "said": said, "settled": settled, "sure": 0.9})

    # -- Teller --------------------------------------------------------------------------------

    def began(self, heard: Began) -> None:
        """It tells of words alone."""

    def words(self, heard: Words) -> None:
        self._say(heard.text, False)

    def ended(self, heard: Ended) -> None:
        self._say(heard.text, True)

    def garbage(self) -> None:
        self._line.send({"kind": "words", "said": 17, "settled": True, "sure": 0.9})

    def error(self) -> None:
        self._line.send({"kind": "fault", "why": "out of breath"})

    def unknown(self) -> None:
        self._line.send({"kind": "mood", "mood": "good"})

    def close(self) -> None:
        self._line.close(1001, "going away")

    def drop(self) -> None:
        self._line.drop()


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    CustomRecognizer,
    _Listening,
    _Listening,
)
