"""A fake of AssemblyAI's streaming recognition (its API reference, "Universal-Streaming", v3).

Strict about what ends a session: a wrong key (1008), messages it does not know (3006), audio in
pieces of less than 50 ms or more than a second, or much faster than people speak (3007).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Word, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller

_MODELS = frozenset(
    (
        *("universal-streaming-english", "universal-streaming-multilingual", "whisper-rt"),
        *("u3-rt-pro", "universal-3-5-pro", "universal-3-6", "universal-3-6-pro"),
    )
)
_ENCODINGS = {"pcm_s16le": ("linear16", 2), "pcm_mulaw": ("mulaw", 1)}
_RATES = range(8_000, 48_001)
_SHARE = re.compile(r"0(\.\d+)?|1(\.0+)?")
_SHORTEST, _LONGEST = 0.05, 1.0  # seconds of a message
_AHEAD = 10.0  # seconds of audio that may come faster than people speak
_MOST_TERMS = 100
_SESSION = 3 * 60 * 60  # seconds
_BEGAN = "5a2b7c1e-4d3f-4e5a-9b8c-0d1e2f3a4b5c"


class AssemblyAI:
    """`sessions`: all so far."""

    hosts: tuple[str, ...] = ("streaming.assemblyai.com", "streaming.eu.assemblyai.com")

    def __init__(self, script: Sequence[str] = (), key: str = "assemblyai-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[AssemblyAISession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return Refusal(status, f'{{"error": "refused with {status}"}}')
        if asked.path != "/v3/ws":
            return Refusal(404, "Not Found")
        session = AssemblyAISession(self, asked, line)
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        if asked.path != "/v3/token":
            reply.whole(404, {"error": "Not Found"})
        elif asked.headers.get("authorization") != self.key:
            reply.whole(401, {"error": "Unauthorized"})
        else:
            reply.whole(200, {"token": f"token-of-{self.key}"})


class AssemblyAISession:
    """`configured`: each UpdateConfiguration. `pieces`: seconds of each audio message."""

    def __init__(self, vendor: AssemblyAI, asked: Asked, line: Line) -> None:
        self.asked = asked
        self.configured: list[Mapping[str, Any]] = []
        self.pieces: list[float] = []
        self.terminated = False
        self._vendor = vendor
        self._line = line
        self._began = line.clock.seconds()
        self._ear: Ear | None = None
        self._second = 0  # bytes
        self._turn = 0
        self._formats = False

    # -- from the client -----------------------------------------------------------------------

    def opened(self) -> None:
        asked, vendor = self.asked, self._vendor
        if asked.headers.get("authorization") != vendor.key:
            self._line.close(1008, "Unauthorized Connection: Invalid API key")
            return
        wrong = _wrong(asked)
        if wrong:
            self._fail(3006, f"Invalid Input: {wrong}")
            return
        encoding, size = _ENCODINGS[asked.one("encoding") or "pcm_s16le"]
        rate = int(asked.one("sample_rate"))
        model = asked.one("speech_model")
        self._second = rate * size
        self._formats = asked.one("format_turns").lower() == "true" and "streaming" in model
        pause = int(asked.one("min_turn_silence") or 400) / 1000
        self._ear = Ear(
            self._line.clock, vendor.script, vendor.manners, self, encoding, rate, pause
        )
        expires = int(self._began) + _SESSION
        self._line.send({"type": "Begin", "id": _BEGAN, "expires_at": expires})

    def received(self, message: bytes, binary: bool) -> None:
        if self._ear is None or self.terminated:
            return
        if binary:
            self._audio(self._ear, message)
        else:
            self._control(self._ear, message)

    def closed(self, code: int) -> None:
        if self._ear is not None:
            self._ear.stop()

    def _audio(self, ear: Ear, audio: bytes) -> None:
        seconds = len(audio) / self._second
        if not _SHORTEST <= seconds <= _LONGEST:
            told = f"{1000 * seconds:g} ms. Expected between 50 and 1000 ms"
            self._fail(3007, f"Input Duration Violation: {told}")
            return
        elapsed = self._line.clock.seconds() - self._began
        if sum(self.pieces) + seconds > elapsed + _AHEAD:
            self._fail(3007, "Audio Transmission Rate Exceeded")
            return
        self.pieces.append(seconds)
        ear.hear(audio)

    def _control(self, ear: Ear, message: bytes) -> None:
        try:
            fields = json.loads(message)
            kind = fields["type"]
        except (ValueError, TypeError, KeyError):
            self._fail(3006, "Invalid Message Type")
            return
        if kind == "ForceEndpoint":
            ear.flush()
        elif kind == "UpdateConfiguration":
            self._configure(fields)
        elif kind == "Terminate":
            self._terminate(ear)
        elif kind != "KeepAlive":
            self._fail(3006, f"Invalid Message Type: {kind}")

    def _configure(self, fields: Mapping[str, Any]) -> None:
        terms = fields.get("keyterms_prompt")
        if terms is not None:
            texts = isinstance(terms, list) and all(isinstance(one, str) for one in terms)
            if not texts or len(terms) > _MOST_TERMS or any(len(one) > 50 for one in terms):
                self._fail(3006, "Invalid Message: keyterms_prompt")
                return
        self.configured.append(fields)

    def _terminate(self, ear: Ear) -> None:
        ear.flush()
        self.terminated = True
        lasted = int(self._line.clock.seconds() - self._began)
        heard = {"audio_duration_seconds": int(ear.seconds), "session_duration_seconds": lasted}
        self._line.send({"type": "Termination", **heard})
        self._line.close()

    def _fail(self, code: int, reason: str) -> None:
        self._line.send({"type": "Error", "error_code": code, "error": reason})
        self._line.close(code, reason)

    # -- what is heard: Teller -----------------------------------------------------------------

    def began(self, heard: Began) -> None:
        if "streaming" not in self.asked.one("speech_model"):
            at = int(1000 * heard.began)
            self._line.send({"type": "SpeechStarted", "timestamp": at, "confidence": 0.98})

    def words(self, heard: Words) -> None:
        known = [_word(word, True) for word in heard.words[:-1]]
        self._tell([*known, _word(heard.words[-1], False)], end=False, formatted=False)

    def ended(self, heard: Ended) -> None:
        words = [_word(word, True) for word in heard.words]
        if not words:
            return
        self._tell(words, end=True, formatted="streaming" not in self.asked.one("speech_model"))
        if self._formats:
            self._tell(words, end=True, formatted=True)
        self._turn += 1

    def _tell(self, words: Sequence[Mapping[str, Any]], end: bool, formatted: bool) -> None:
        final = " ".join(word["text"] for word in words if word["word_is_final"])
        self._line.send(
            {
                "type": "Turn",
                "turn_order": self._turn,
                "turn_is_formatted": formatted,
                "end_of_turn": end,
                "transcript": f"{final}." if formatted else final,
                "utterance": final if end else "",
                "end_of_turn_confidence": 0.9 if end else 0.05,
                "words": words,
            }
        )

    def garbage(self) -> None:
        self._line.send("{ not JSON")

    def error(self) -> None:
        self._fail(3005, "Server Error")

    def unknown(self) -> None:
        self._line.send({"type": "Heartbeat", "total_audio_received_ms": 100})

    def close(self) -> None:
        self._line.close(3008, "Session Expired: Maximum session duration exceeded")

    def drop(self) -> None:
        self._line.drop()


def _word(word: Word, final: bool) -> dict[str, Any]:
    start, end = int(1000 * word.start), int(1000 * word.end)
    sure = 0.9 if final else 0.5
    return {
        "text": word.text,
        "start": start,
        "end": end,
        "confidence": sure,
        "word_is_final": final,
    }


def _wrong(asked: Asked) -> str:
    """What is wrong with the parameters; "" when nothing is."""
    rate, encoding = asked.one("sample_rate"), asked.one("encoding") or "pcm_s16le"
    if asked.one("speech_model") not in _MODELS:
        return "speech_model"
    if not rate.isdigit() or int(rate) not in _RATES:
        return "sample_rate"
    if encoding not in _ENCODINGS:
        return "encoding"
    if not _SHARE.fullmatch(asked.one("end_of_turn_confidence_threshold") or "0"):
        return "end_of_turn_confidence_threshold"
    if not (asked.one("min_turn_silence") or "0").isdigit():
        return "min_turn_silence"
    if asked.one("format_turns").lower() not in ("", "true", "false"):
        return "format_turns"
    terms = asked.one("keyterms_prompt")
    try:
        listed = json.loads(terms) if terms else []
    except ValueError:
        return "keyterms_prompt"
    return "" if isinstance(listed, list) and len(listed) <= 100 else "keyterms_prompt"


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    AssemblyAI,
    AssemblyAISession,
    AssemblyAISession,
)
