"""A vendor that there is not, for recognisers by rules: JSON messages of its own over a WebSocket.

A client sends `{"pcm": BASE64}` and, at the end of a turn, `{"finish": true}`; it is told
`{"kind": "words", "said": TEXT, "settled": BOOL, "sure": 0..1}`, which is also the answer to
`finish` when nothing was said, and `{"kind": "fault", "why": TEXT}`.
"""

from __future__ import annotations

import json
import wave
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Sequence
from io import BytesIO

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Hearing, Script, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller, Trouble

_TAKES = 0.2  # seconds for the answer to a recording
_LATE = 1.2


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
        """`{"wav": BASE64}` of a turn, for which it is told `{"said": TEXT}`."""
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            reply.whole(status, f"refused with {status}")
            return
        if asked.headers.get("x-custom-key") != self.key or asked.method != "POST":
            reply.whole(401, "wrong key")
            return
        try:
            with wave.open(BytesIO(b64decode(json.loads(asked.body)["wav"]))) as file:
                rate, sound = file.getframerate(), file.readframes(file.getnframes())
        except (ValueError, KeyError, TypeError, EOFError, wave.Error):
            reply.whole(400, "that is no recording")
            return
        troubles = self.manners.troubles
        trouble = troubles.popleft() if troubles else None
        takes = _LATE if trouble is Trouble.LATE else _TAKES
        reply.clock.callLater(takes, self._give, reply, rate, sound, trouble)

    def _give(self, reply: Reply, rate: int, sound: bytes, trouble: Trouble | None) -> None:
        """What is not told to the end is the next recording's."""
        if reply.gone:
            return
        if trouble is Trouble.DROP:
            reply.drop()
        elif trouble in (Trouble.ERROR, Trouble.CLOSE):
            reply.whole(503, "out of breath")
        elif trouble is Trouble.GARBAGE:
            reply.whole(200, "<html>")
        else:
            self._tell(reply, self._heard(rate, sound), trouble)

    def _heard(self, rate: int, sound: bytes) -> str:
        hearing = Hearing(self.script, "linear16", rate, None)
        hearing.hear(sound)
        return " ".join(one.text for one in hearing.flush() if isinstance(one, Ended))

    def _tell(self, reply: Reply, said: str, trouble: Trouble | None) -> None:
        if trouble is Trouble.NO_FINAL:
            reply.head(200)
            reply.write(b'{"said":')
        elif trouble is Trouble.UNKNOWN:
            reply.whole(200, {"said": said, "mood": "good"})
        elif trouble is not Trouble.SILENCE:
            reply.whole(200, {"said": said})


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
