"""One response of the fake of OpenAI's Realtime API, in its events, in their order."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.interfaces import IReactorTime

from rapida_tw.sim.vendors.conversing import Said
from rapida_tw.sim.vendors.delivery import Delivery, Manners
from rapida_tw.sim.vendors.openai_realtime_rules import Format
from rapida_tw.sim.vendors.speaking import Piece, Spoken

_AHEAD = 1.0  # seconds that words come before their sound

Tell = Callable[[str, Mapping[str, Any]], None]


class Response:
    """Tells itself; `done` is called when it is over. It is the Teller of its sound."""

    def __init__(
        self,
        clock: IReactorTime,
        name: str,
        said: Said,
        sound: Format,
        manners: Manners,
        metadata: Mapping[str, str],
        tell: Tell,
        broken: Callable[[bytes | None], None],
        done: Callable[[Response], None],
    ) -> None:
        """`broken`: garbage is sent; None: the connection is cut."""
        self.id = name
        self.item = f"item_{name}"
        self.said = said
        self.given = 0  # bytes of sound
        self.words: list[str] = []  # given
        self.output: list[dict[str, Any]] = []
        self._clock = clock
        self._sound = sound
        self._manners = manners
        self._metadata = metadata
        self._tell = tell
        self._broken = broken
        self._done = done
        self._delivery: Delivery | None = None
        self._spoken: Spoken | None = None
        self._over = False
        self._reason = "client_cancelled"

    def begin(self) -> None:
        """Created; the first sound comes later."""
        self._tell("response.created", {"response": self._fields("in_progress")})
        spoken = Spoken(self.said.text, self._sound.rate, self._sound.form)
        self._spoken = spoken
        self._delivery = Delivery(self._clock, spoken, self._manners, self)

    @property
    def milliseconds(self) -> float:
        """Sound given so far."""
        return self.given * 1000 / self._sound.bytes_per_second

    def cancel(self, reason: str) -> None:
        """Break it off."""
        self._reason = reason
        if self._delivery is not None:
            self._delivery.cancel()

    def end(self) -> None:
        """The client is gone."""
        if self._delivery is not None:
            self._delivery.end()

    # -- Teller -----------------------------------------------------------------------------------

    def sound(self, piece: Piece) -> None:
        if not self.given:
            self._open()
        for word in (self._spoken.words if self._spoken is not None else ())[len(self.words) :]:
            if word.start > piece.start + _AHEAD:
                break
            delta = word.text if not self.words else f" {word.text}"
            self.words.append(word.text)
            self._part("response.output_audio_transcript.delta", {"delta": delta})
        self.given += len(piece.payload)
        delta = base64.b64encode(piece.payload).decode("ascii")
        self._part("response.output_audio.delta", {"delta": delta})

    def done(self) -> None:
        if self.given:
            self._close("completed")
        for number, called in enumerate(self.said.calls):
            self._call(number, called.name, json.dumps(called.arguments))
        self._finish("completed", {})

    def stopped(self) -> None:
        if self._over:
            return
        if self.given:
            self._close("incomplete")
        self._finish("cancelled", {"type": "cancelled", "reason": self._reason})

    def garbage(self) -> None:
        self._broken(b'{"type": "response.output_audio.delta", "delta": ')

    def error(self) -> None:
        error = {"type": "server_error", "code": "server_error", "message": "We are overloaded."}
        self._finish("failed", {"type": "failed", "error": error})

    def drop(self) -> None:
        self._broken(None)

    # -- events -----------------------------------------------------------------------------------

    def _fields(self, status: str) -> dict[str, Any]:
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": None,
            "output": self.output,
            "metadata": dict(self._metadata) or None,
            "conversation_id": "conv_1",
            "output_modalities": ["audio"],
            "usage": None,
        }

    def _message(self, status: str) -> dict[str, Any]:
        content = [{"type": "output_audio", "transcript": " ".join(self.words)}]
        return {
            **{"id": self.item, "object": "realtime.item", "type": "message", "status": status},
            **{"role": "assistant", "content": content if self.given else []},
        }

    def _open(self) -> None:
        item = self._message("in_progress")
        self._of_response("response.output_item.added", {"output_index": 0, "item": item})
        self._tell("conversation.item.added", {"item": item, "previous_item_id": None})
        part = {"type": "audio", "transcript": ""}
        self._part("response.content_part.added", {"part": part})

    def _close(self, status: str) -> None:
        transcript = " ".join(self.words)
        self._part("response.output_audio.done", {})
        self._part("response.output_audio_transcript.done", {"transcript": transcript})
        part = {"type": "audio", "transcript": transcript}
        self._part("response.content_part.done", {"part": part})
        item = self._message(status)
        self.output.append(item)
        self._tell("conversation.item.done", {"item": item, "previous_item_id": None})
        self._of_response("response.output_item.done", {"output_index": 0, "item": item})

    def _call(self, number: int, name: str, arguments: str) -> None:
        fields = {
            **{"id": f"fc_{self.id}_{number}", "object": "realtime.item", "type": "function_call"},
            **{"status": "completed", "call_id": f"call_{self.id}_{number}", "name": name},
        }
        place = {"output_index": len(self.output), "item_id": fields["id"]}
        item = {**fields, "arguments": ""}
        self._of_response("response.output_item.added", {**place, "item": item})
        told = {**place, "call_id": fields["call_id"]}
        self._of_response("response.function_call_arguments.delta", {**told, "delta": arguments})
        told |= {"name": name, "arguments": arguments}
        self._of_response("response.function_call_arguments.done", told)
        item = {**fields, "arguments": arguments}
        self.output.append(item)
        self._of_response("response.output_item.done", {**place, "item": item})

    def _finish(self, status: str, details: Mapping[str, Any]) -> None:
        self._over = True
        fields = self._fields(status) | {"status_details": dict(details) or None}
        fields["usage"] = {
            **{"total_tokens": 150, "input_tokens": 100, "output_tokens": 50},
            "input_token_details": {"cached_tokens": 60, "text_tokens": 40, "audio_tokens": 60},
            "output_token_details": {"text_tokens": 10, "audio_tokens": 40},
        }
        self._done(self)
        self._tell("response.done", {"response": fields})
        self._tell("rate_limits.updated", {"rate_limits": []})

    def _part(self, kind: str, fields: Mapping[str, Any]) -> None:
        place = {"item_id": self.item, "output_index": 0, "content_index": 0}
        self._of_response(kind, {**place, **fields})

    def _of_response(self, kind: str, fields: Mapping[str, Any]) -> None:
        self._tell(kind, {"response_id": self.id, **fields})
