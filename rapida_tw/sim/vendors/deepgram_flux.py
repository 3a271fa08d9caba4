"""Flux, v2 of Deepgram's recognisers (its guides "Flux": state machine, control messages).

Refuses what belongs to v1, in the query and in messages. A turn ends by the model when there was
half a second of silence, sent as audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rapida_tw.sim.vendors.base import Line, Session
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

_SILENCE = 0.5  # seconds
_MODELS = ("flux-general-en", "flux-general-multi")
_LANGUAGES = ("en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl")


def flux_mistake(query: Query) -> None:
    """`BadQuery` for what v2 refuses."""
    query.known(
        *("model", "encoding", "sample_rate", "eot_threshold", "eager_eot_threshold", "tag"),
        *("eot_timeout_ms", "keyterm", "language_hint", "numerals", "profanity_filter", "redact"),
        "mip_opt_out",
    )
    model = query.text("model")
    if model not in _MODELS:
        raise BadQuery(f"The model {model!r} is not available on this endpoint")
    for name in ("numerals", "profanity_filter", "mip_opt_out"):
        query.flag(name)
    query.audio()
    threshold = query.number("eot_threshold", 0.5, 1.0) or 0.7
    if query.number("eager_eot_threshold", 0.3, 0.9) > threshold:
        raise BadQuery("eager_eot_threshold must not be greater than eot_threshold")
    query.number("eot_timeout_ms", 500, 60_000)
    for hint in query.fields.get("language_hint", ()):
        if model != "flux-general-multi" or hint not in _LANGUAGES:
            raise BadQuery(f"Invalid value for language_hint: {hint}")


class FluxSession:
    """One stream. `commands`: the types of all text messages; `seconds`: of audio.

    `keyterms`: those that are heard better now.
    """

    def __init__(self, script: Script, manners: Manners, query: Query, line: Line) -> None:
        self.query = query
        self.commands: list[str] = []
        self.keyterms = list(query.fields.get("keyterm", ()))
        self._line = line
        encoding, rate = query.audio()
        # A threshold of 1 leaves the ends of turns to the client.
        suppressed = query.number("eot_threshold", 0.5, 1.0) == 1
        silence = None if suppressed else _SILENCE
        self._ear = Ear(line.clock, script, manners, self, encoding, rate, silence)
        self._eager = bool(query.text("eager_eot_threshold"))
        self._resumed = False
        self._turn = 0
        self._sequence = 0

    @property
    def seconds(self) -> float:
        return self._ear.seconds

    def opened(self) -> None:
        self._say("Connected", request_id=REQUEST_ID)

    def closed(self, code: int) -> None:
        self._ear.stop()

    # -- from the client --------------------------------------------------------------------------

    def received(self, message: bytes, binary: bool) -> None:
        if binary:
            if json_of(message):
                self._fail("INVALID_AUDIO", "The payload cannot be decoded as audio")
            else:
                self._ear.hear(message)
            return
        command = json_of(message)
        kind = str(command.get("type"))
        self.commands.append(kind)
        if kind == "CloseStream":
            self._ear.flush()
            self._line.close(1000)
        elif kind == "ForceEndTurn":
            self._ear.flush()  # without a turn it is ignored
        elif kind == "Configure":
            self._configure(command)
        else:
            self._fail("UNPARSABLE_CLIENT_MESSAGE", f"Unknown message type: {kind}")

    def _configure(self, command: dict[str, Any]) -> None:
        thresholds = command.get("thresholds") or {}
        eot = thresholds.get("eot_threshold", 0.7)
        if not isinstance(eot, int | float) or not 0.5 <= eot <= 1.0:
            self._say(
                "ConfigureFailure",
                request_id=REQUEST_ID,
                code="INVALID_EOT_THRESHOLD",
                description="eot_threshold is out of its range",
            )
            return
        terms = command.get("keyterms", self.keyterms)
        if not all_texts(terms) or too_many(terms):
            self._say(
                "ConfigureFailure",
                request_id=REQUEST_ID,
                code="INVALID_KEYTERMS",
                description="keyterms are a list of texts, of 500 tokens together",
            )
            return
        self.keyterms = list(terms)
        self._say(
            "ConfigureSuccess",
            request_id=REQUEST_ID,
            thresholds=thresholds,
            keyterms=self.keyterms,
            language_hints=command.get("language_hints") or [],
        )

    # -- to the client: Teller --------------------------------------------------------------------

    def began(self, heard: Began) -> None:
        self._resumed = False
        self._turn_info("StartOfTurn", (), heard.at)

    def words(self, heard: Words) -> None:
        self._turn_info("Update", heard.words, heard.at)
        if self._eager and not self._resumed:
            self._resumed = True
            self._turn_info("EagerEndOfTurn", heard.words, heard.at, sure=0.55)
            self._turn_info("TurnResumed", heard.words, heard.at)

    def ended(self, heard: Ended) -> None:
        if self._eager and heard.words:
            self._turn_info("EagerEndOfTurn", heard.words, heard.at, sure=0.55)
        trigger = "manual" if heard.flushed else "model"
        self._turn_info("EndOfTurn", heard.words, heard.at, sure=0.9, trigger=trigger)
        self._turn += 1

    def garbage(self) -> None:
        self._line.send("TurnInfo: EndOfTurn")

    def error(self) -> None:
        self._fail("INTERNAL_SERVER_ERROR", "An internal server error occurred")

    def unknown(self) -> None:
        self._say("Weather", tomorrow="fine")

    def close(self) -> None:
        self._line.close(1011, "NET-0000: the server ran out of patience")

    def drop(self) -> None:
        self._line.drop()

    def _turn_info(
        self,
        event: str,
        words: Sequence[Word],
        end: float,
        sure: float = 0.1,
        **more: str,
    ) -> None:
        self._say(
            "TurnInfo",
            request_id=REQUEST_ID,
            event=event,
            turn_index=self._turn,
            audio_window_start=words[0].start if words else end,
            audio_window_end=end,
            transcript=" ".join(word.text for word in words),
            words=[
                {"word": word.text, "confidence": 0.9, "start": word.start, "end": word.end}
                for word in words
            ],
            end_of_turn_confidence=sure,
            **more,
        )

    def _fail(self, code: str, description: str) -> None:
        self._say("Error", request_id=REQUEST_ID, code=code, description=description)
        self._line.close(1011 if code == "INTERNAL_SERVER_ERROR" else 1008, code)

    def _say(self, kind: str, **fields: Any) -> None:
        self._line.send({"type": kind, **fields, "sequence_id": self._sequence})
        self._sequence += 1


_conforms: tuple[type[Session], type[Teller]] = (FluxSession, FluxSession)
