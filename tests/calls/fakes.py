"""What calls are given in these tests: a leg, a store and a disk that record, or refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import End, NotSupported
from rapida_tw.media.leg import Leg
from rapida_tw.media.tracks import Batch
from rapida_tw.store.criteria import Criterion, Order
from rapida_tw.store.records import Conversation, ConversationStore, Entry, NamedCall, Page


class RecordingLeg:
    """A media connection that notes what is sent."""

    def __init__(self, digits: bool = True) -> None:
        self.format = AudioFormat(rate=16_000)
        self.sent = 0
        self.hung_up = 0
        self.told: End | None = None  # why, by the last hang-up
        self.digits = ""
        self._takes_digits = digits

    def send_audio(self, payload: bytes) -> None:
        self.sent += any(payload)

    def mark(self, name: str) -> None: ...
    def clear(self) -> None: ...

    def send_digits(self, digits: str) -> None:
        if not self._takes_digits:
            raise NotSupported("no digits here")
        self.digits += digits

    def hang_up(self, end: End | None = None) -> None:
        self.hung_up += 1
        self.told = end


class HeldStore:
    """A ConversationStore that answers when told to, or at once with `error` or success."""

    def __init__(self) -> None:
        self.held: list[Deferred[None]] | None = None  # a list: answers wait in it
        self.error: Callable[[Sequence[Entry]], Exception | None] = lambda entries: None
        self.batches: list[list[Entry]] = []  # asked to write
        self.written: list[Entry] = []
        self.statuses: list[tuple[int, str, str, float | None]] = []
        self.status_error: Exception | None = None  # of the next status, once
        self.status_error_of = 0  # only of this conversation's

    def append(self, entries: Sequence[Entry]) -> Deferred[None]:
        batch = list(entries)
        self.batches.append(batch)
        answered: Deferred[None] = succeed(None)
        if self.held is not None:
            answered = Deferred()
            self.held.append(answered)
        return answered.addCallback(lambda _: self._write(batch))

    def _write(self, batch: list[Entry]) -> None:
        error = self.error(batch)
        if error is not None:
            raise error
        self.written += batch

    def set_status(
        self, conversation_id: int, status: str, end_reason: str = "", duration: float | None = None
    ) -> Deferred[None]:
        if self.status_error is not None and self.status_error_of in (0, conversation_id):
            error, self.status_error = self.status_error, None
            failed: Deferred[None] = Deferred()
            failed.errback(error)
            return failed
        self.statuses.append((conversation_id, status, end_reason, duration))
        return succeed(None)

    def create(self, conversation: Conversation, names: Sequence[str] = ()) -> Deferred[None]:
        return succeed(None)

    def named(
        self, carrier: str, names: Sequence[str], project_id: int | None = None
    ) -> Deferred[NamedCall | None]:
        return succeed(None)

    def get(self, conversation_id: int, project_id: int | None = None) -> Deferred[Conversation]:
        raise NotImplementedError

    def page(
        self,
        project_id: int,
        number: int = 1,
        size: int = 20,
        assistant_id: int | None = None,
        criteria: Sequence[Criterion] = (),
        order: Order | None = None,
    ) -> Deferred[Page]:
        raise NotImplementedError

    def add_names(self, conversation_id: int, names: Sequence[str]) -> Deferred[None]:
        return succeed(None)

    def messages(self, *asked: Any, **more: Any) -> Deferred[Page]:
        raise NotImplementedError


class HeldDisk:
    """A RecordingDisk that keeps batches; `fail` gives a recording up."""

    def __init__(self) -> None:
        self.opened: list[Path] = []
        self.batches: list[Batch] = []
        self.fail: Callable[[str], None]
        self.error: Exception | None = None

    def open(
        self, path: Path, first_tick: int, failed: Callable[[str], None]
    ) -> Callable[[Batch], None]:
        if self.error is not None:
            raise self.error
        self.opened.append(path)
        self.fail = failed
        return self.batches.append


_leg: type[Leg] = RecordingLeg
_store: type[ConversationStore] = HeldStore
