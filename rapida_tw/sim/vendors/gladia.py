"""A fake of Gladia's live recogniser (its API reference, "Live v2", and its own client for Python,
2.2).

A session is made by a POST; its token opens the socket, again after a drop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller

_ENCODINGS = {("wav/pcm", 16): "linear16", ("wav/ulaw", 8): "mulaw", ("wav/alaw", 8): "alaw"}
_RATES = (8_000, 16_000, 32_000, 44_100, 48_000)
_KNOWN = frozenset(
    (
        *("encoding", "bit_depth", "sample_rate", "channels", "custom_metadata", "model"),
        *("endpointing", "maximum_duration_without_endpointing", "language_config", "callback"),
        *("pre_processing", "realtime_processing", "post_processing", "messages_config"),
        "callback_config",
    )
)
_CREATED = "2026-11-21T12:00:00.000Z"
_USUAL = {
    "receive_partial_transcripts": False,
    "receive_final_transcripts": True,
    "receive_speech_events": True,
    "receive_acknowledgments": True,
    "receive_lifecycle_events": False,
}


class Mistake(Exception):
    """What a request for a session is refused for."""


class Gladia:
    """`sessions`: all sockets so far. `wanted`: what was asked for, by the session's id."""

    hosts: tuple[str, ...] = ("api.gladia.io",)

    def __init__(self, script: Sequence[str] = (), key: str = "gladia-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[GladiaSession] = []
        self.wanted: dict[str, Mapping[str, Any]] = {}

    def answer(self, asked: Asked, reply: Reply) -> None:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            reply.whole(status, _error(status, f"refused with {status}"))
        elif not asked.path.endswith("/v2/live") or asked.method != "POST":
            reply.whole(404, _error(404, "Not Found"))
        elif asked.headers.get("x-gladia-key") != self.key:
            reply.whole(401, _error(401, "gladia key not found"))
        else:
            self._create(asked, reply)

    def _create(self, asked: Asked, reply: Reply) -> None:
        try:
            wanted = _checked(asked)
        except Mistake as mistake:
            reply.whole(400, _error(400, str(mistake)))
            return
        name = f"session-{len(self.wanted) + 1}"
        self.wanted[name] = wanted
        host = asked.headers["host"]
        scheme = "wss" if host.endswith("gladia.io") else "ws"
        url = f"{scheme}://{host}/v2/live?token=token-of-{name}"
        reply.whole(201, {"id": name, "created_at": _CREATED, "url": url})

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        name = asked.one("token").removeprefix("token-of-")
        if asked.path != "/v2/live" or name not in self.wanted:
            return Refusal(401, json.dumps(_error(401, "invalid token")))
        session = GladiaSession(self, name, line)
        self.sessions.append(session)
        return session


class GladiaSession:
    """One socket of a session."""

    def __init__(self, vendor: Gladia, name: str, line: Line) -> None:
        self.name = name
        wanted = vendor.wanted[name]
        self._line = line
        self._messages = {**_USUAL, **wanted.get("messages_config", {})}
        self._bytes = 0
        self._utterance = 0
        encoding = _encoding(wanted)
        rate = wanted.get("sample_rate", 16_000)
        self._second = rate * (2 if encoding == "linear16" else 1)
        pause = wanted.get("endpointing", 0.05)
        self._ear = Ear(line.clock, vendor.script, vendor.manners, self, encoding, rate, pause)

    # -- from the client -----------------------------------------------------------------------

    def opened(self) -> None:
        self._lifecycle("start_recording")

    def received(self, message: bytes, binary: bool) -> None:
        if binary:
            self._audio(message)
            return
        try:
            fields = json.loads(message)
            kind = fields["type"]
        except (ValueError, TypeError, KeyError):
            self._line.close(4400, "invalid message")
            return
        if kind == "stop_recording":
            self._stop()
        elif kind == "audio_chunk":
            if fields.get("data", {}).get("chunk"):
                self._line.close(4400, "this fake takes audio as binary messages")
        else:
            self._line.close(4400, f"unknown action {kind}")

    def closed(self, code: int) -> None:
        self._ear.stop()

    def _audio(self, message: bytes) -> None:
        begin, self._bytes = self._bytes, self._bytes + len(message)
        if self._messages["receive_acknowledgments"]:
            times = [begin / self._second, self._bytes / self._second]
            ranges = {"byte_range": [begin, self._bytes], "time_range": times}
            self._say("audio_chunk", ranges, acknowledged=True, error=None)
        self._ear.hear(message)

    def _stop(self) -> None:
        if self._messages["receive_acknowledgments"]:
            left = {"recording_duration": self._ear.seconds, "recording_left_to_process": 0}
            self._say("stop_recording", left, acknowledged=True, error=None)
        self._ear.flush()
        self._lifecycle("end_recording", {"recording_duration": self._ear.seconds})
        self._lifecycle("end_session")
        self._line.close()

    # -- what is heard: Teller -----------------------------------------------------------------

    def began(self, heard: Began) -> None:
        self._utterance += 1
        if self._messages["receive_speech_events"]:
            self._say("speech_start", {"time": heard.began, "channel": 0})

    def words(self, heard: Words) -> None:
        if self._messages["receive_partial_transcripts"]:
            self._transcript(heard, heard.at, final=False)

    def ended(self, heard: Ended) -> None:
        if self._messages["receive_speech_events"]:
            self._say("speech_end", {"time": heard.ended, "channel": 0})
        if heard.words and self._messages["receive_final_transcripts"]:
            self._transcript(heard, heard.ended, final=True)

    def _transcript(self, heard: Words | Ended, end: float, final: bool) -> None:
        words = [
            {"word": f" {word.text}", "start": word.start, "end": word.end, "confidence": 0.9}
            for word in heard.words
        ]
        about = {"start": heard.began, "end": end, "language": "en", "confidence": 0.9}
        utterance = {**about, "channel": 0, "words": words, "text": f" {heard.text}"}
        name = f"00_{self._utterance:08}"
        self._say("transcript", {"id": name, "is_final": final, "utterance": utterance})

    def garbage(self) -> None:
        self._line.send("{type: transcript}")

    def error(self) -> None:
        self._say("error", {"message": "Internal error"})
        self._line.close(4500, "Internal error")

    def unknown(self) -> None:
        self._say("named_entity_recognition", {"utterance_id": "1"})

    def close(self) -> None:
        self._line.close(4408, "timeout")

    def drop(self) -> None:
        self._line.drop()

    def _lifecycle(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        if self._messages["receive_lifecycle_events"]:
            self._say(kind, data)

    def _say(self, kind: str, data: Mapping[str, Any] | None, **more: Any) -> None:
        about = {"type": kind, "session_id": self.name, "created_at": _CREATED}
        self._line.send({**about, **more, **({} if data is None else {"data": data})})


def _checked(asked: Asked) -> Mapping[str, Any]:
    try:
        wanted = json.loads(asked.body)
    except ValueError:
        raise Mistake("the body is no JSON") from None
    unknown = set(wanted) - _KNOWN
    if unknown:
        raise Mistake(f"{sorted(unknown)} should not exist")
    if asked.one("region") not in ("", "us-west", "eu-west"):
        raise Mistake("region must be one of us-west, eu-west")
    _encoding(wanted)
    if wanted.get("sample_rate", 16_000) not in _RATES or wanted.get("channels", 1) != 1:
        raise Mistake("sample_rate or channels")
    if wanted.get("model", "solaria-1") != "solaria-1":
        raise Mistake("model must be solaria-1")
    if not 0.01 <= wanted.get("endpointing", 0.05) <= 10:
        raise Mistake("endpointing must be between 0.01 and 10")
    languages = wanted.get("language_config", {}).get("languages", [])
    if not all(isinstance(one, str) and len(one) in (2, 3) for one in languages):
        raise Mistake("each value in languages must be a known language")
    return dict(wanted)


def _encoding(wanted: Mapping[str, Any]) -> str:
    form = wanted.get("encoding", "wav/pcm"), wanted.get("bit_depth", 16)
    if form not in _ENCODINGS:
        raise Mistake("encoding and bit_depth")
    return _ENCODINGS[form]


def _error(status: int, message: str) -> dict[str, Any]:
    return {"statusCode": status, "message": message, "timestamp": _CREATED, "path": "/v2/live"}


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    Gladia,
    GladiaSession,
    GladiaSession,
)
