"""A fake of Deepgram's recognisers: v1 of its API here, v2 (Flux) in deepgram_flux.py.

From its API reference, "Live Audio", and its guides of control messages and errors. Strict about
what is refused (a query it does not know, a wrong key) and what ends a stream: ten seconds without
audio or KeepAlive, commands as binary, audio that is no audio.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sim.vendors.base import Asked, FakeVendor, Line, Refusal, Reply, Session
from rapida_tw.sim.vendors.deepgram_flux import FluxSession, flux_mistake
from rapida_tw.sim.vendors.deepgram_query import (
    REQUEST_ID,
    BadQuery,
    Query,
    all_texts,
    json_of,
    too_many,
)
from rapida_tw.sim.vendors.hearing import Began, Ended, Script, Word, Words
from rapida_tw.sim.vendors.listening import Ear, Manners, Teller

_TIMEOUT = 10.0  # seconds without audio or KeepAlive
_NOTICEABLE = 0.5  # seconds of audio that Finalize needs for an answer
_SILENCE = 2.0  # seconds of it after which an empty result is sent
_MODEL = re.compile(r"(nova|enhanced|base|whisper)(-[a-z0-9-]+)?")
_COMMANDS = ("KeepAlive", "Finalize", "CloseStream", "Configure")
_FLAGS = (
    *("interim_results", "punctuate", "smart_format", "no_delay", "numerals", "filler_words"),
    *("profanity_filter", "multichannel", "vad_events", "diarize", "mip_opt_out", "dictation"),
    "detect_entities",
)
_TEXTS = (
    *("language", "keyterm", "keywords", "redact", "diarize_model", "tag", "version", "replace"),
    *("search", "extra", "callback", "callback_method", "language_hint"),
)
_NET_0001 = (
    "Deepgram did not receive audio data or a text message within the timeout window. "
    "See https://dpgr.am/net0001"
)


class Deepgram:
    """`sessions`: all so far, of both versions."""

    hosts: tuple[str, ...] = ("api.deepgram.com", "api.eu.deepgram.com")

    def __init__(self, script: Sequence[str] = (), key: str = "deepgram-key") -> None:
        self.script = Script(script)
        self.manners = Manners()
        self.key = key
        self.sessions: list[NovaSession | FluxSession] = []

    def connect(self, asked: Asked, line: Line) -> Session | Refusal:
        refusals = self.manners.refusals
        if refusals and (status := refusals.popleft()):
            return _refusal(status, _REASONS.get(status, "INTERNAL_ERROR"), "try it elsewhere")
        scheme, _, key = asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("token", "bearer") or key != self.key:
            return _refusal(401, "INVALID_AUTH", "Invalid credentials.")
        session: NovaSession | FluxSession
        try:
            query = Query(asked)
            if asked.path == "/v1/listen":
                _check(query)
                session = NovaSession(self.script, self.manners, query, line)
            elif asked.path == "/v2/listen":
                flux_mistake(query)
                session = FluxSession(self.script, self.manners, query, line)
            else:
                return _refusal(404, "NOT_FOUND", "There is nothing here.")
        except BadQuery as error:
            return _refusal(400, "Bad Request", str(error))
        self.sessions.append(session)
        return session

    def answer(self, asked: Asked, reply: Reply) -> None:
        reply.whole(404, {"err_code": "NOT_FOUND", "err_msg": "There is nothing here."})


_REASONS = {
    402: "ASR_PAYMENT_REQUIRED",
    403: "INSUFFICIENT_PERMISSIONS",
    429: "TOO_MANY_REQUESTS",
}


def _refusal(status: int, code: str, message: str) -> Refusal:
    body = {"err_code": code, "err_msg": message, "request_id": REQUEST_ID}
    headers = {"dg-error": message, "dg-request-id": REQUEST_ID}
    return Refusal(status, json.dumps(body), headers)


def _check(query: Query) -> None:
    """`BadQuery` for what v1 refuses."""
    query.known(
        *("model", "encoding", "sample_rate", "channels", "endpointing", "utterance_end_ms"),
        *(*_FLAGS, *_TEXTS),
    )
    for name in _FLAGS:
        query.flag(name)
    model = query.text("model") or "base"
    if not _MODEL.fullmatch(model):
        raise BadQuery("No such model/language/tier combination found.")
    query.audio()
    if query.text("channels") not in ("", "1"):
        raise BadQuery("channels: this stream has one")
    if query.text("endpointing") != "false":
        query.number("endpointing", 0, 100_000)
    if query.text("utterance_end_ms"):
        query.number("utterance_end_ms", 1_000, 5_000)
        if not query.flag("interim_results"):
            raise BadQuery("utterance_end_ms needs interim_results")
    nova_3 = model.startswith("nova-3")
    if nova_3 and query.text("keywords"):
        raise BadQuery("Keywords are not supported for Nova-3. Use keyterm instead.")
    if not nova_3 and query.text("keyterm"):
        raise BadQuery("Keyterm prompting is only available for Nova-3.")
    if query.text("diarize_model") not in ("", "v1", "latest"):
        raise BadQuery("diarize_model must be v1 or latest")


class NovaSession:
    """One stream. `commands`: the types of all text messages; `seconds`: of audio.

    `keyterms`: those that are heard better now.
    """

    def __init__(self, script: Script, manners: Manners, query: Query, line: Line) -> None:
        self.query = query
        self.commands: list[str] = []
        self.keyterms = list(query.fields.get("keyterm", ()))
        self._line = line
        encoding, rate = query.audio()
        pause = query.number("endpointing", 0, 100_000) if query.text("endpointing") else 10
        self._endpointing = query.text("endpointing") != "false"
        # Its own ten milliseconds are less than a block of what is heard here.
        silence = max(pause / 1000, 0.02) if self._endpointing else None
        self._ear = Ear(line.clock, script, manners, self, encoding, rate, silence)
        self._final = 0.0  # seconds of audio whose words are final
        self._finalizing = False
        self._timer: IDelayedCall | None = None

    @property
    def seconds(self) -> float:
        return self._ear.seconds

    def opened(self) -> None:
        """It says nothing until it has heard something."""
        self._restart()

    def closed(self, code: int) -> None:
        self._ear.stop()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _restart(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.reset(_TIMEOUT)
        else:
            self._timer = self._line.clock.callLater(_TIMEOUT, self._line.close, 1011, _NET_0001)

    # -- from the client --------------------------------------------------------------------------

    def received(self, message: bytes, binary: bool) -> None:
        self._restart()
        if not binary:
            self._command(message)
        elif not message:
            self._close_stream()
        elif json_of(message):
            self._line.close(1008, "DATA-0000: the payload cannot be decoded as audio")
        else:
            self._ear.hear(message)
            if not self._ear.speaking and self.seconds - self._final >= _SILENCE:
                self._result((), self._final, self.seconds, is_final=True)

    def _command(self, message: bytes) -> None:
        command = json_of(message)
        kind = command.get("type")
        if kind not in _COMMANDS:
            told = message.decode("utf-8", "replace")
            self._say({"type": "Error", "variant": "SchemaError", "message": told} | _UNREADABLE)
            return
        self.commands.append(str(kind))
        if kind == "Finalize":
            self._finalize()
        elif kind == "CloseStream":
            self._close_stream()
        elif kind == "Configure":
            self._configure(command)

    def _configure(self, command: Mapping[str, Any]) -> None:
        """Its guide "Configure": the list is replaced, by Nova-3 alone."""
        told: dict[str, Any] = {"type": "ConfigureSuccess", "request_id": REQUEST_ID}
        terms = command.get("keyterms")
        if terms is not None:
            if not self.query.text("model").startswith("nova-3") or not all_texts(terms):
                failure = {"type": "ConfigureFailure", "code": "CONFIGURE_KEYTERMS_NOT_SUPPORTED"}
                self._say({**told, **failure, "description": "keyterms are for Nova-3"})
                return
            if too_many(terms):
                self._ear.stop()  # it falls silent; a close comes half a minute later
                return
            self.keyterms = told["keyterms"] = list(terms)
        self._say(told)

    def _finalize(self) -> None:
        self._finalizing = True
        if not self._ear.flush() and self.seconds - self._final >= _NOTICEABLE:
            self._result((), self._final, self.seconds, is_final=True, from_finalize=True)
        self._finalizing = False

    def _close_stream(self) -> None:
        self._ear.flush()
        metadata = {"type": "Metadata", "transaction_key": "deprecated", "request_id": REQUEST_ID}
        sums = {"sha256": "0" * 64, "created": "2026-01-01T00:00:00.000Z"}
        self._say({**metadata, **sums, "duration": self.seconds, "channels": 1})
        self._line.close(1000)

    # -- to the client: Teller --------------------------------------------------------------------

    def began(self, heard: Began) -> None:
        if self.query.flag("vad_events"):
            self._say({"type": "SpeechStarted", "channel": [0, 1], "timestamp": heard.began})

    def words(self, heard: Words) -> None:
        if self.query.flag("interim_results"):
            self._result(heard.words, self._final, heard.at)

    def ended(self, heard: Ended) -> None:
        self._result(
            heard.words,
            self._final,
            heard.at,
            is_final=True,
            speech_final=not heard.flushed,
            from_finalize=self._finalizing,
        )
        if self.query.text("utterance_end_ms") and heard.words:
            last = heard.words[-1].end
            self._say({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": last})

    def garbage(self) -> None:
        self._line.send("{'type': Results}")

    def error(self) -> None:
        self._say({"type": "Error", "variant": "Internal"} | _UNREADABLE)

    def unknown(self) -> None:
        self._say({"type": "Weather", "tomorrow": "fine"})

    def close(self) -> None:
        self._line.close(1011, "NET-0000: the server ran out of patience")

    def drop(self) -> None:
        self._line.drop()

    def _result(
        self,
        words: Sequence[Word],
        start: float,
        end: float,
        is_final: bool = False,
        speech_final: bool = False,
        from_finalize: bool = False,
    ) -> None:
        if is_final:
            self._final = end
        said = " ".join(word.text for word in words)
        if said and self.query.flag("punctuate") and is_final:
            said = f"{said[0].upper()}{said[1:]}."
        best = {
            "transcript": said,
            "confidence": 0.98 if words else 0.0,
            "languages": ["en"],
            "words": [_word(word) for word in words],
        }
        info = {"name": "general-nova-3", "version": "2026-01-01.0", "arch": "nova-3"}
        self._say(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "duration": end - start,
                "start": start,
                "is_final": is_final,
                "speech_final": speech_final,
                "from_finalize": from_finalize,
                "channel": {"alternatives": [best]},
                "metadata": {
                    "request_id": REQUEST_ID,
                    "model_info": info,
                    "model_uuid": REQUEST_ID,
                },
            }
        )

    def _say(self, message: Mapping[str, Any]) -> None:
        self._line.send(message)


_UNREADABLE = {"description": "Failed to deserialize JSON."}


def _word(word: Word) -> dict[str, Any]:
    plain = word.text.lower().strip(".,?!")
    times = {"start": word.start, "end": word.end, "confidence": 0.98}
    return {"word": plain, **times, "punctuated_word": word.text, "language": "en"}


_conforms: tuple[type[FakeVendor], type[Session], type[Teller]] = (
    Deepgram,
    NovaSession,
    NovaSession,
)
