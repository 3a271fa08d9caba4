"""ElevenLabs over its multi-context WebSocket (its API reference, "Multi-Context WebSocket").

A phrase is a context of its own, opened, flushed and closed in one go: only a context that is
closed ends with `isFinal`, and one that was flushed before still gives all of its sound. What was
interrupted counts until then; with a sixth context the vendor would close the socket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import CREDENTIAL_FIELDS, Account
from rapida_tw.audio.format import Encoding
from rapida_tw.errors import RemoteProtocolError
from rapida_tw.net.base import Frame, Net, Request
from rapida_tw.options import within
from rapida_tw.speech.base import SynthesizerProvider, Word
from rapida_tw.speech.messages import (
    decoded,
    flag,
    parse,
    part,
    reason,
    socket_url,
    text,
    written,
)
from rapida_tw.speech.voices.format import VoiceFormat, VoiceOptions
from rapida_tw.speech.voices.phrase import LONGEST
from rapida_tw.speech.voices.provider import (
    ALAW_8K,
    LINEAR_8K,
    LINEAR_16K,
    LINEAR_24K,
    MULAW_8K,
    SocketVoiceProvider,
)
from rapida_tw.speech.voices.wire import Audio, Complaint, Done, Event, VoiceWire, Words

_BASE: Final = "https://api.elevenlabs.io"
_VOICE: Final = "JBFqnCBsd6RMkjVDRZzb"  # the one of the vendor's quickstart
_CONTEXTS: Final = 4  # of five: the fifth closes the socket if one has not ended in time
_IDLE: Final = 180  # seconds, the most that inactivity_timeout takes
_FORMATS: Final = {
    LINEAR_16K: "pcm_16000",
    MULAW_8K: "ulaw_8000",
    ALAW_8K: "alaw_8000",
    LINEAR_8K: "pcm_8000",
    VoiceFormat(Encoding.LINEAR16, 22_050): "pcm_22050",
    LINEAR_24K: "pcm_24000",
    VoiceFormat(Encoding.LINEAR16, 44_100): "pcm_44100",
}
# Models that can be told a language; the others refuse to be.
_TOLD_LANGUAGE: Final = frozenset(("eleven_flash_v2_5", "eleven_turbo_v2_5"))
# What another connection does not change, in the vendor's words.
_FINAL: Final = (
    *("api_key", "api key", "unauthorized", "permission", "subscription", "payment", "quota"),
    *("does not exist", "not_found", "not found", "does_not_exist", "access_denied"),
)


@dataclass(frozen=True, slots=True)
class ElevenLabsOptions(VoiceOptions):
    """`stability`, `similarity_boost` and `style`: 0..1; `speed`: 0.7..1.2.

    `apply_text_normalization`: auto, on or off. What is not given is as voice and model have it.
    """

    voice_id: str = _VOICE
    model: str = "eleven_flash_v2_5"
    speed: float | None = None
    stability: float | None = None
    similarity_boost: float | None = None
    style: float | None = None
    apply_text_normalization: str = ""

    def __post_init__(self) -> None:
        for name, value in self.voice_settings.items():
            within(name, value, *((0.7, 1.2) if name == "speed" else (0, 1)))
        if self.apply_text_normalization not in ("", "auto", "on", "off"):
            raise ValueError("apply_text_normalization must be auto, on or off")
        if not self.voice_id or not self.model:
            raise ValueError("voice.id and model must not be empty")
        if self.model.startswith("eleven_v3"):
            raise ValueError(f"{self.model} does not speak over this WebSocket")

    @property
    def voice_settings(self) -> dict[str, float]:
        names = ("stability", "similarity_boost", "style", "speed")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class ElevenLabsWire:
    greets = False
    contexts = _CONTEXTS
    per_minute = 0
    keep_alive_every = 0.0
    idle = float(_IDLE)

    def __init__(
        self, options: ElevenLabsOptions, key: str, base: str, format: VoiceFormat
    ) -> None:
        self.encoding, self.rate = format
        self._options = options
        self._key = key
        self._base = base
        self._output = _FORMATS[format]
        self._second = format.rate * (2 if format.encoding is Encoding.LINEAR16 else 1)  # bytes
        self._spoken: dict[str, _Spoken] = {}  # by context

    def address(self, net: Net) -> Deferred[Request]:
        options = self._options
        told = options.model in _TOLD_LANGUAGE
        url = socket_url(
            self._base,
            f"/v1/text-to-speech/{quote(options.voice_id, safe='')}/multi-stream-input",
            {
                "model_id": options.model,
                "output_format": self._output,
                "inactivity_timeout": _IDLE,
                "sync_alignment": True,
                "auto_mode": True,  # whole phrases: it need not wait for more
                "language_code": options.language.partition("-")[0] if told else "",
                "apply_text_normalization": options.apply_text_normalization,
            },
        )
        return succeed(Request(url, headers={"xi-api-key": self._key}))

    def hello(self) -> Sequence[Frame]:
        return ()

    def say(self, context: str, text: str) -> Sequence[Frame]:
        self._spoken[context] = _Spoken()
        opening: dict[str, Any] = {"text": " ", "context_id": context}
        if self._options.voice_settings:
            opening["voice_settings"] = self._options.voice_settings
        return (
            written(opening),
            # Without a space at its end the last word waits for the rest of it.
            written({"text": f"{text.strip()} ", "context_id": context, "flush": True}),
            self._close(context),
        )

    def cancel(self, context: str) -> Sequence[Frame] | None:
        """Closed already, but a vendor that is told so again may stop earlier."""
        return (self._close(context),)

    def _close(self, context: str) -> Frame:
        return written({"context_id": context, "close_context": True})

    def keep_alive(self) -> Sequence[Frame]:
        return ()

    def goodbye(self) -> Sequence[Frame]:
        return (written({"close_socket": True}),)

    def received(self, payload: bytes, binary: bool) -> Sequence[Event]:
        fields = parse(payload, binary)
        context = text(fields, "contextId") or text(fields, "context_id")
        if text(fields, "error"):
            return (_complaint(context, text(fields, "error"), text(fields, "message")),)
        spoken = self._spoken.get(context)
        if spoken is None:
            return ()
        events: list[Event] = []
        sound = decoded(text(fields, "audio"))
        if sound:
            events.append(Audio(context, sound))
        words = spoken.words(part(fields, "alignment"))
        spoken.seconds += len(sound) / self._second
        final = flag(fields, "isFinal")
        if final:
            words += spoken.rest()
            del self._spoken[context]
        if words:
            events.append(Words(context, tuple(words)))
        if final:
            events.append(Done(context))
        return events

    def closed(self, code: int, reason: str) -> Complaint:
        return _complaint("", f"closed with {code}", reason)


class _Spoken:
    """A context's sound so far, and the word that is not complete yet."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._word = ""
        self._start = self._end = 0.0

    def words(self, alignment: Mapping[str, Any]) -> list[Word]:
        """The words that this message's characters complete; its times begin with its sound."""
        characters = _list(alignment, _is_text, "chars")
        starts = _list(alignment, _is_time, "charStartTimesMs")
        lasting = _list(alignment, _is_time, "charDurationsMs", "charsDurationsMs")
        words: list[Word] = []
        for character, start, lasts in zip(characters, starts, lasting, strict=False):
            if character.isspace():
                words += self.rest()
                continue
            if not self._word:
                self._start = self.seconds + start / 1000
            self._word += character
            self._end = self.seconds + (start + lasts) / 1000
        return words

    def rest(self) -> list[Word]:
        """The word that has come to its end."""
        word, self._word = self._word, ""
        return [Word(word, self._start, self._end)] if word else []


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1000 * LONGEST


def _list(fields: Mapping[str, Any], kind: Callable[[Any], bool], *names: str) -> list[Any]:
    """The first of these that is there, all of one kind."""
    value: Any = next((found for name in names if (found := fields.get(name)) is not None), [])
    if not isinstance(value, list) or not all(map(kind, value)):
        raise RemoteProtocolError(f"{names[0]} is no list of its kind")
    return value


def _complaint(context: str, *told: str) -> Complaint:
    said = reason(*told)
    return Complaint(context, said, not any(word in said.lower() for word in _FINAL))


class ElevenLabsSynthesizerProvider(SocketVoiceProvider[ElevenLabsOptions]):
    vendor = "ElevenLabs"
    description = "ElevenLabs: many voices and languages, words with their times"
    credential_fields: Mapping[str, str] = {
        **CREDENTIAL_FIELDS,
        "xi_api_key": "The same as key.",
    }
    options = ElevenLabsOptions
    formats = tuple(_FORMATS)

    def wire(
        self, options: ElevenLabsOptions, account: Account, format: VoiceFormat
    ) -> Callable[[], VoiceWire]:
        key = account.need("key", "api_key", "apiKey", "xi_api_key")
        base = account.base_url(_BASE).removesuffix("/v1")
        return lambda: ElevenLabsWire(options, key, base, format)


_conforms: type[SynthesizerProvider] = ElevenLabsSynthesizerProvider
