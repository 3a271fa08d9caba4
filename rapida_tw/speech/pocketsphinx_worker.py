"""The recognition worker: a process of its own, because decoding holds the interpreter's lock.

`python -m rapida_tw.speech.pocketsphinx_worker` reads messages (worker_wire) on standard input,
answers on standard output and ends with the input. One call's mistake never hurts another's.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rapida_tw.speech.grammars import Decoders, Grammars, pocketsphinx
from rapida_tw.speech.hearing import NOTHING_FITS, Hearing
from rapida_tw.speech.pronunciations import Pronunciations
from rapida_tw.speech.worker_wire import Decoder, Kind, Message, final

_READ = 1 << 16  # bytes: what a pipe holds
_KINDER = 5  # added niceness: the server's 20 ms beat goes first


class Worker:
    """Answers messages of many calls, one after the other."""

    def __init__(self, grammars: Grammars, answer: Callable[[Message], None]) -> None:
        self._grammars = grammars
        self._decoders = Decoders()
        self._answer = answer
        self._calls: dict[int, Hearing] = {}
        self._told: dict[int, str] = {}  # the latest partial of each call
        self._do = {
            Kind.GRAMMAR: self._grammar,
            Kind.START: self._start,
            Kind.AUDIO: self._audio,
            Kind.END: self._end,
            Kind.CLOSE: self._close,
        }
        self._waiting: Counter[int] = Counter()  # AUDIO of each call behind the one under way

    @property
    def calls(self) -> int:
        """How many it knows."""
        return len(self._calls)

    def received(self, messages: list[Message]) -> None:
        """Work through all that has come by now."""
        self._waiting = Counter(one.call for one in messages if one.kind is Kind.AUDIO)
        for message in messages:
            hearing = self._calls.get(message.call)
            if hearing is None:
                hearing = self._calls[message.call] = Hearing(self._grammars, self._decoders)
            try:
                self._do[message.kind](message, hearing)
            except Exception as error:
                # Whatever it was, the other calls go on; this one's next utterance starts afresh.
                hearing.failed()
                self._warn(message.call, f"{message.kind.name}: {error}")
                if message.kind is Kind.AUDIO:
                    self._answer(Message(Kind.HEARD, message.call))
                elif message.kind is Kind.END:
                    self._answer(final(message.call, "", NOTHING_FITS))

    def _grammar(self, message: Message, hearing: Hearing) -> None:
        skipped = hearing.expect(message.text)
        if skipped:
            words = ", ".join(map(repr, skipped))
            self._warn(message.call, f"nobody knows how to say {words}: never heard")

    def _start(self, message: Message, hearing: Hearing) -> None:
        self._told[message.call] = ""
        hearing.begin()

    def _audio(self, message: Message, hearing: Hearing) -> None:
        hearing.hear(message.payload)
        self._waiting[message.call] -= 1
        if not self._waiting[message.call]:  # a worker that is late leaves partials out first
            text = hearing.so_far()
            if text and text != self._told.get(message.call):
                self._told[message.call] = text
                self._answer(Message(Kind.PARTIAL, message.call, text.encode()))
                return
        self._answer(Message(Kind.HEARD, message.call))

    def _end(self, message: Message, hearing: Hearing) -> None:
        words = hearing.end()
        self._answer(final(message.call, words.text, words.score))

    def _close(self, message: Message, hearing: Hearing) -> None:
        del self._calls[message.call]
        self._told.pop(message.call, None)
        hearing.end()

    def _warn(self, call: int, text: str) -> None:
        self._answer(Message(Kind.WARNING, call, text.encode()))


def dictionary() -> Path:
    """The pronouncing dictionary inside the installed package."""
    return Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends us
    os.nice(_KINDER)
    # pocketsphinx prints what it dislikes to descriptor 1; our messages need one of their own.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def answer(message: Message) -> None:
        output.write(message.encode())

    worker = Worker(Grammars(Pronunciations(dictionary())), answer)
    answer(Message(Kind.READY, 0))
    messages = Decoder()
    with suppress(BrokenPipeError):  # the server is gone
        output.flush()
        while data := os.read(0, _READ):
            worker.received(list(messages.feed(data)))
            output.flush()


if __name__ == "__main__":
    main()
