"""A fake of Google Speech-to-Text v2: streams by gRPC, tokens of service accounts by HTTP."""

from __future__ import annotations

import re
from collections.abc import Sequence

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sim.vendors import google_speech_pb2 as speech
from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.google_token import HOST, TokenServer
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Word, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller
from rapida_tw.sim.vendors.rpc import RpcLine, RpcRefusal, RpcSession, RpcVendor

_METHOD = "/google.cloud.speech.v2.Speech/StreamingRecognize"
_RECOGNIZER = re.compile(r"projects/[a-z0-9-]+/locations/([a-z0-9-]+)/recognizers/(_|[a-z0-9-]+)")
_ENCODINGS = {1: "linear16", 2: "mulaw", 3: "alaw"}
_MODELS = ("long", "short", "telephony", "telephony_short", "chirp_2", "chirp_3", "latest_long")
_LARGEST = 15_360  # bytes of audio in a message
_STREAM = 305.0  # seconds
_PATIENCE = 10.0  # seconds without audio
_PAUSE = {0: 0.6, 1: 0.6, 3: 0.4, 2: 0.2}  # seconds of silence that end an utterance, by wish
_STATUSES = {
    400: (3, "The request is wrong."),
    401: (16, "Request had invalid authentication credentials."),
    402: (7, "This API method requires billing to be enabled."),
    403: (7, "Permission 'speech.recognizers.recognize' denied."),
    404: (5, "Requested entity was not found."),
    408: (4, "Deadline exceeded."),
    409: (10, "Aborted."),
    429: (8, "Quota exceeded for quota metric 'Recognition requests'."),
    500: (13, "Internal error encountered."),
    503: (14, "The service is currently unavailable."),
}


class GoogleSpeech:
    """`script`: what will be said; `key`: an API key that it knows.

    `sessions`: all streams. `tokens`: its token server, whose accounts it knows as well.
    `longest`: seconds of a stream.
    """

    hosts: tuple[str, ...] = ("speech.googleapis.com", "*-speech.googleapis.com", HOST)

    def __init__(self, script: Sequence[str] = (), key: str = "key", longest: float = _STREAM):
        self.manners = Manners()
        self.sessions: list[GoogleSession] = []
        self.tokens = TokenServer()
        self.longest = longest
        self._script = Script(script)
        self.key = key

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        return Refusal(404, "there are no WebSockets here")

    def answer(self, asked: Asked, reply: Reply) -> None:
        self.tokens.answer(asked, reply)

    def rpc(self, asked: Asked, line: RpcLine) -> RpcSession | RpcRefusal:
        refusal = self.manners.refusals.popleft() if self.manners.refusals else 0
        if refusal:
            return RpcRefusal(*_STATUSES.get(refusal, (2, f"HTTP {refusal}")))
        # A base URL of the user's own may have a path.
        if not asked.path.endswith(_METHOD):
            return RpcRefusal(12, f"unknown method {asked.path}")
        known = asked.headers.get("x-goog-api-key") == self.key
        if not known and not self.tokens.knows(asked.headers):
            return RpcRefusal(*_STATUSES[401])
        self.sessions.append(GoogleSession(self._script, self.manners, line, self.longest))
        return self.sessions[-1]


class _Wrong(Exception):
    """An argument that is not valid; the text says which."""


class GoogleSession:
    """One stream. `config`: what was asked for; `seconds`: of audio."""

    def __init__(self, script: Script, manners: Manners, line: RpcLine, longest: float) -> None:
        self.config = speech.StreamingConfig()
        self.recognizer = ""
        self._script = script
        self._manners = manners
        self._line = line
        self._ear: Ear | None = None
        self._over = False
        self._silence: IDelayedCall | None = None
        self._age = line.clock.callLater(longest, self._end, 11, _TOO_LONG)
        self._restart()

    @property
    def seconds(self) -> float:
        return self._ear.seconds if self._ear is not None else 0.0

    # -- from the client --------------------------------------------------------------------------

    def received(self, message: bytes) -> None:
        if self._over:
            return
        try:
            request = speech.Request.FromString(message)
            if self._ear is None:
                self._begin(request)
            else:
                self._audio(self._ear, request)
        except DecodeError:
            self._end(13, "Failed to parse request.")
        except _Wrong as error:
            self._end(3, str(error))

    def half_closed(self) -> None:
        if self._ear is not None:
            self._ear.flush()
        self._end(0, "")

    def closed(self) -> None:
        self._stop()

    def _begin(self, request: speech.Request) -> None:
        if request.HasField("audio") or not request.HasField("streaming_config"):
            raise _Wrong("The first request must have a streaming config, and no audio.")
        place = _RECOGNIZER.fullmatch(request.recognizer)
        if place is None:
            raise _Wrong(f"Invalid resource field value in the request: {request.recognizer}")
        config = request.streaming_config.config
        if config.HasField("auto_decoding_config"):
            raise _Wrong("Auto decoding does not support raw audio.")
        decoding = config.explicit_decoding_config
        if decoding.encoding not in _ENCODINGS:
            raise _Wrong(f"No fake of the encoding {decoding.encoding}.")
        if not 8_000 <= decoding.sample_rate_hertz <= 48_000:
            raise _Wrong("Sample rate must be between 8000 and 48000.")
        if decoding.audio_channel_count != 1:
            raise _Wrong("Invalid audio channel count")
        if config.model not in _MODELS:
            raise _Wrong(f'The model "{config.model}" does not exist in {place[1]}.')
        if not 1 <= len(config.language_codes) <= 3:
            raise _Wrong("One to three language codes must be given.")
        for choice in config.adaptation.phrase_sets:
            for phrase in choice.inline_phrase_set.phrases:
                if not phrase.value or not 0 <= phrase.boost <= 20:
                    raise _Wrong("Boost must be between 0 and 20.")
        self.recognizer = request.recognizer
        self.config = request.streaming_config
        pause = _PAUSE.get(self.config.streaming_features.endpointing_sensitivity)
        if pause is None:
            raise _Wrong("There is no such endpointing sensitivity.")
        encoding, rate = _ENCODINGS[decoding.encoding], decoding.sample_rate_hertz
        clock = self._line.clock
        self._ear = Ear(clock, self._script, self._manners, self, encoding, rate, pause)

    def _audio(self, ear: Ear, request: speech.Request) -> None:
        if request.HasField("streaming_config"):
            raise _Wrong("Only the first request may have a streaming config.")
        if not request.audio:
            raise _Wrong("Audio content must not be empty.")
        if len(request.audio) > _LARGEST:
            raise _Wrong(f"Audio chunk can be of a maximum of {_LARGEST} bytes.")
        self._restart()
        ear.hear(request.audio)

    # -- time -------------------------------------------------------------------------------------

    def _restart(self) -> None:
        if self._silence is not None and self._silence.active():
            self._silence.reset(_PATIENCE)
        else:
            self._silence = self._line.clock.callLater(_PATIENCE, self._end, 10, _TIMED_OUT)

    def _end(self, status: int, message: str) -> None:
        self._stop()
        self._line.end(status, message)

    def _stop(self) -> None:
        self._over = True
        if self._ear is not None:
            self._ear.stop()
        for timer in (self._silence, self._age):
            if timer is not None and timer.active():
                timer.cancel()

    # -- to the client: Teller --------------------------------------------------------------------

    def began(self, heard: Began) -> None:
        self._event(2, heard.began)

    def words(self, heard: Words) -> None:
        if not self.config.streaming_features.interim_results:
            return
        # A stable beginning and what may still change.
        stable, rest = heard.words[:-1], heard.words[-1:]
        results = [_result(" ".join(word.text for word in stable), heard.at, 0.9)] if stable else []
        results.append(_result((" " if stable else "") + _said(rest), heard.at, 0.01))
        self._say(speech.Response(results=results))

    def ended(self, heard: Ended) -> None:
        self._event(3, heard.ended)
        if not heard.words:
            return
        said = _said(heard.words)
        if self.config.config.features.enable_automatic_punctuation:
            said = f"{said[0].upper()}{said[1:]}."
        result = _result(said, heard.ended, 0.0)
        result.is_final = True
        result.alternatives[0].confidence = 0.93
        self._say(speech.Response(results=[result]))

    def _event(self, kind: int, at: float) -> None:
        if self.config.streaming_features.enable_voice_activity_events:
            offset = _duration(at)
            self._say(speech.Response(speech_event_type=kind, speech_event_offset=offset))

    def garbage(self) -> None:
        self._line.send(b"\xff\xff\xff")

    def error(self) -> None:
        self._end(13, "Internal error encountered.")

    def unknown(self) -> None:
        self._line.send(b"\x9a\x06\x03new")  # field 99

    def close(self) -> None:
        self._end(14, "The service is currently unavailable.")

    def drop(self) -> None:
        self._stop()
        self._line.drop()

    def _say(self, response: speech.Response) -> None:
        response.metadata.request_id = "68a1b2c3-0000-2abc-9def-001a114dc0de"
        self._line.send(response.SerializeToString())


_TOO_LONG = "Max duration of 5 minutes reached for stream."
_TIMED_OUT = "Stream timed out after receiving no more client requests."


def _said(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _duration(seconds: float) -> Duration:
    whole = int(seconds)
    return Duration(seconds=whole, nanos=round((seconds - whole) * 1e9))


def _result(text: str, end: float, stability: float) -> speech.Result:
    best = speech.Alternative(transcript=text)
    return speech.Result(
        alternatives=[best],
        stability=stability,
        result_end_offset=_duration(end),
        language_code="en-us",
    )


_conforms: tuple[type[FakeVendor], type[RpcVendor], type[RpcSession], type[Teller]] = (
    GoogleSpeech,
    GoogleSpeech,
    GoogleSession,
    GoogleSession,
)
