"""A fake of ElevenLabs' text to speech (its API reference, "WebSocket" and "Multi-Context").

`/multi-stream-input`: many contexts on one socket, five at most, each opened by its first message;
settings later than that, a sixth context and a wrong key end the socket with 1008. What was flushed
sounds to its end, also when the context is closed meanwhile; only a closed one has an `isFinal`.
`/stream-input`: one text, which ends with an empty one.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.delivery import Delivery, Manners, Teller
from rapida_tw.sim.vendors.speaking import ALAW, LINEAR, MULAW, Piece, Spoken

_PATH = re.compile(r"/v1/text-to-speech/([^/]+)/(multi-)?stream-input")
_VOICES = ("JBFqnCBsd6RMkjVDRZzb", "21m00Tcm4TlvDq8ikWAM")
_MODELS = frozenset(
    (
        *("eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_flash_v2", "eleven_turbo_v2"),
        *("eleven_multilingual_v2", "eleven_monolingual_v1"),
    )
)
_TOLD_LANGUAGE = ("eleven_flash_v2_5", "eleven_turbo_v2_5")
_FORMATS = {
    **{f"pcm_{rate}": (LINEAR, rate) for rate in (8_000, 16_000, 22_050, 24_000, 44_100)},
    "ulaw_8000": (MULAW, 8_000),
    "alaw_8000": (ALAW, 8_000),
}
_SETTINGS = frozenset(("stability", "similarity_boost", "style", "use_speaker_boost", "speed"))
_FIRST_ONLY = ("voice_settings", "generation_config", "pronunciation_dictionary_locators")
_MOST = 5  # contexts
_LONGEST_IDLE = 180  # seconds
_DEFAULT = "default"  # the context of messages that name none


class ElevenLabs:
    """`sessions`: all so far. `heard`: every client message of all of them, with its time.

    `complaints`: the errors with which it has ended sessions.
    """

    hosts: tuple[str, ...] = ("api.elevenlabs.io", "api.*.elevenlabs.io")

    def __init__(self, key: str = "elevenlabs-key") -> None:
        self.key = key
        self.manners = Manners()
        self.sessions: list[_Socket] = []
        self.heard: list[tuple[float, dict[str, Any]]] = []
        self.complaints: list[str] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            told = {"detail": {"status": _STATUSES.get(status, "error"), "message": "refused"}}
            retry = {"Retry-After": self.manners.retry_after} if self.manners.retry_after else {}
            return Refusal(status, json.dumps(told), retry)
        found = _PATH.fullmatch(asked.path)
        if found is None:
            return Refusal(404, '{"detail":"Not Found"}')
        session = (_Many if found[2] else _One)(self, asked, line, found[1])
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"detail": "Not Found"})


_STATUSES = {401: "invalid_api_key", 429: "too_many_concurrent_requests"}


class _Socket:
    """What both kinds have in common: the handshake's fields, idleness, errors."""

    def __init__(self, vendor: ElevenLabs, asked: Asked, line: Line, voice: str) -> None:
        self.asked = asked
        self.line = line
        self.manners = vendor.manners
        self._vendor = vendor
        self._voice = voice
        self._authorized = asked.headers.get("xi-api-key") == vendor.key
        self._timer: IDelayedCall | None = None
        self.form, self.rate = LINEAR, 8_000
        self.over = False

    def opened(self) -> None:
        asked = self.asked
        model = asked.one("model_id") or "eleven_multilingual_v2"
        output = asked.one("output_format") or "pcm_16000"
        idle = asked.one("inactivity_timeout") or "20"
        if model not in _MODELS:
            self.fail("model_not_found", f"A model with model ID {model} does not exist")
        elif output not in _FORMATS:
            self.fail("invalid_output_format", f"There is no output_format {output}")
        elif not idle.isdigit() or int(idle) > _LONGEST_IDLE:
            self.fail("invalid_parameters", "inactivity_timeout must be 180 at most")
        elif asked.one("language_code") and model not in _TOLD_LANGUAGE:
            self.fail("unsupported_language", f"{model} does not take a language_code")
        else:
            self.form, self.rate = _FORMATS[output]
            self._idle = int(idle)
            self._wait()

    def _wait(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.reset(self._idle)
        else:
            self._timer = self.line.clock.callLater(self._idle, self._timed_out)

    def _timed_out(self) -> None:
        told = f"Have not received a new text input within the timeout of {self._idle} seconds."
        self.line.close(1008, f"{told} Streaming input terminated.")

    def received(self, message: bytes, binary: bool) -> None:
        if self.over:
            return
        try:
            fields = json.loads(message)
        except ValueError:
            fields = None
        if binary or not isinstance(fields, dict):
            self.fail("invalid_message", "The message is no JSON object")
            return
        self._vendor.heard.append((self.line.clock.seconds(), fields))
        self._wait()
        key = fields.get("xi_api_key") or fields.get("xi-api-key")
        self._authorized = self._authorized or key == self._vendor.key
        if not self._authorized:
            self.fail("invalid_api_key", "Invalid API key")
        elif self._voice not in _VOICES:
            self.fail("voice_not_found", f"A voice with voice_id {self._voice} does not exist.")
        else:
            self.understand(fields)

    def understand(self, fields: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def settings_are_wrong(self, fields: Mapping[str, Any]) -> bool:
        settings = fields.get("voice_settings") or {}
        if not isinstance(settings, dict) or set(settings) - _SETTINGS:
            self.fail("invalid_voice_settings", "There are no such voice settings")
            return True
        if not 0.7 <= settings.get("speed", 1.0) <= 1.2:
            self.fail("invalid_voice_settings", "speed must be between 0.7 and 1.2")
            return True
        return False

    def fail(self, error: str, message: str) -> None:
        self._vendor.complaints.append(error)
        self.line.send({"message": message, "error": error, "code": 1008})
        self.line.close(1008, message)
        self.over = True

    def closed(self, code: int) -> None:
        self.over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()


class _Many(_Socket):
    """`/multi-stream-input`."""

    def __init__(self, vendor: ElevenLabs, asked: Asked, line: Line, voice: str) -> None:
        super().__init__(vendor, asked, line, voice)
        self.contexts: dict[str, _Context] = {}
        self._leaving = False

    def understand(self, fields: Mapping[str, Any]) -> None:
        if fields.get("close_socket"):
            self._leave()
            return
        name = fields.get("context_id") or _DEFAULT
        context = self.contexts.get(name)
        if fields.get("close_context"):
            if context is not None:
                context.close()
            return
        if context is None:
            if self.settings_are_wrong(fields):
                return
            if len(self.contexts) == _MOST:
                self.fail(
                    "max_active_conversations",
                    f"Maximum simultaneous contexts per WebSocket connection exceeded ({_MOST}). "
                    "Please close an existing context before opening a new one.",
                )
                return
            context = self.contexts[name] = _Context(name, self)
        elif any(fields.get(one) for one in _FIRST_ONLY):
            self.fail("invalid_message", "Settings can only be sent in a context's first message")
            return
        context.write(fields.get("text") or "", bool(fields.get("flush")))

    def _leave(self) -> None:
        self._leaving = True
        for context in tuple(self.contexts.values()):
            context.close()
        self.ended("")

    def ended(self, name: str) -> None:
        """A context is complete."""
        self.contexts.pop(name, None)
        if self._leaving and not self.contexts:
            self.line.close()

    def closed(self, code: int) -> None:
        super().closed(code)
        for context in self.contexts.values():
            context.end()


class _Context:
    """Texts that are spoken one after the other."""

    def __init__(self, name: str, socket: _Many) -> None:
        self._name = name
        self._socket = socket
        self._automatic = socket.asked.one("auto_mode") == "true"
        self._buffer = ""
        self._flushed: deque[str] = deque()
        self._delivery: Delivery | None = None
        self._closing = False

    def write(self, text: str, flush: bool) -> None:
        if self._closing:
            return
        self._buffer += text
        if self._buffer.strip() and (flush or self._automatic):
            self._flushed.append(self._buffer.strip())
            self._buffer = ""
            self._go_on()

    def close(self) -> None:
        """What was flushed still sounds; what was not is lost."""
        if self._closing:
            self._socket.manners.stopped += 1
            return
        self._closing = True
        self._go_on()

    def end(self) -> None:
        if self._delivery is not None:
            self._delivery.end()

    def _go_on(self) -> None:
        socket = self._socket
        if self._delivery is not None:
            return
        if self._flushed:
            spoken = Spoken(self._flushed.popleft(), socket.rate, socket.form)
            self._delivery = Delivery(socket.line.clock, spoken, socket.manners, self)
        elif self._closing:
            socket.line.send({"isFinal": True, "contextId": self._name})
            socket.ended(self._name)

    # -- Teller --------------------------------------------------------------------------------

    def sound(self, piece: Piece) -> None:
        self._socket.line.send({**_sounding(piece), "contextId": self._name})

    def done(self) -> None:
        self._delivery = None
        self._go_on()

    def stopped(self) -> None:
        """Nothing is ever stopped."""

    def garbage(self) -> None:
        self._socket.line.send('{"audio": 17, "contextId": ["')

    def error(self) -> None:
        self._socket.fail("system_busy", "The system is busy, please try again")

    def drop(self) -> None:
        self._socket.line.drop()


class _One(_Socket):
    """`/stream-input`."""

    def __init__(self, vendor: ElevenLabs, asked: Asked, line: Line, voice: str) -> None:
        super().__init__(vendor, asked, line, voice)
        self._begun = False
        self._text = ""
        self._delivery: Delivery | None = None

    def understand(self, fields: Mapping[str, Any]) -> None:
        text = fields.get("text")
        if not isinstance(text, str) or self._delivery is not None:
            self.fail("invalid_message", "A text is missing, or comes after the end")
        elif not self._begun:
            self._begun = True
            if text != " ":
                self.fail("invalid_message", "The first text must be a single space")
            else:
                self.settings_are_wrong(fields)
        elif any(fields.get(one) for one in _FIRST_ONLY):
            self.fail("invalid_message", "Settings can only be sent in the first message")
        elif text:
            self._text += text
        else:
            spoken = Spoken(self._text.strip(), self.rate, self.form)
            self._delivery = Delivery(self.line.clock, spoken, self.manners, self)

    def closed(self, code: int) -> None:
        super().closed(code)
        if self._delivery is not None:
            self._delivery.end()

    def sound(self, piece: Piece) -> None:
        self.line.send({**_sounding(piece), "isFinal": None})

    def done(self) -> None:
        self.line.send({"audio": None, "isFinal": True})
        self.line.close()

    def stopped(self) -> None:
        """Nothing is ever stopped."""

    def garbage(self) -> None:
        self.line.send("{ not JSON")

    def error(self) -> None:
        self.fail("system_busy", "The system is busy, please try again")

    def drop(self) -> None:
        self.line.drop()


def _sounding(piece: Piece) -> dict[str, Any]:
    """Times are in ms from the beginning of the piece."""
    starts = [round(1000 * (one.start - piece.start)) for one in piece.characters]
    lasting = [round(1000 * (one.end - one.start)) for one in piece.characters]
    alignment = {
        "chars": [one.text for one in piece.characters],
        "charStartTimesMs": starts,
        "charDurationsMs": lasting,
    }
    return {
        "audio": b64encode(piece.payload).decode(),
        "alignment": alignment if piece.characters else None,
        "normalizedAlignment": alignment if piece.characters else None,
    }


_conforms: tuple[type[FakeVendor], type[Session], type[Session]] = (ElevenLabs, _Many, _One)
_speak: tuple[type[Teller], ...] = (_Context, _One)
