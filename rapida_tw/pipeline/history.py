"""History: the dialogue as the model sees it; of the assistant only what the caller heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rapida_tw.models.base import Message, ToolCall

# A long call must not grow the model's prompt without end: the oldest turns go first.
KEPT = 200  # messages besides the system prompt


class History:
    """Grows by whole messages; the messages of the reply that is being spoken are provisional."""

    def __init__(self, prompt: Sequence[Message] = ()) -> None:
        self._prompt = tuple(prompt)
        self._said: list[Message] = []
        self._reply_from = 0  # where the messages of the current reply begin

    def messages(self) -> tuple[Message, ...]:
        """All that the model gets, oldest first."""
        return (*self._prompt, *self._said)

    @property
    def dialogue(self) -> tuple[Message, ...]:
        """What was said, without the prompt."""
        return tuple(self._said)

    def user_said(self, text: str) -> None:
        self._said.append(Message("user", text))
        self._trim()

    def begin_reply(self) -> None:
        """The assistant's messages from here on are provisional until `end_reply`."""
        self._reply_from = len(self._said)

    @property
    def next_part(self) -> int:
        """The number that the next `assistant_said` will answer."""
        return len(self._said) - self._reply_from

    def assistant_said(self, text: str, tool_calls: Sequence[ToolCall] = ()) -> int:
        """The model has written `text`; answers the number of this part of the reply."""
        self._said.append(Message("assistant", text, tuple(tool_calls)))
        return self.next_part - 1

    def tool_answered(self, call: ToolCall, result: str) -> None:
        self._said.append(Message("tool", result, tool_call_id=call.id))

    def end_reply(self, heard: Mapping[int, str], interrupted: bool) -> list[str]:
        """Keep of each part what was heard of it; answers what was heard, part by part.

        `heard` is by part; a part without tool calls of which nothing was heard never happened.
        """
        kept: list[Message] = []
        texts = []
        for part, message in enumerate(self._said[self._reply_from :]):
            if message.role != "assistant":
                kept.append(message)
                continue
            text = heard.get(part, "") if interrupted else message.text
            if text:
                texts.append(text)
            if text or message.tool_calls:
                cut = interrupted and text != message.text
                kept.append(replace(message, text=text, interrupted=cut))
        self._said[self._reply_from :] = _with_results(kept)
        self._reply_from = len(self._said)
        self._trim()
        return texts

    def _trim(self) -> None:
        while len(self._said) > KEPT:
            del self._said[0]
            # A tool's result never stands without its call.
            while self._said and self._said[0].role == "tool":
                del self._said[0]
        self._reply_from = min(self._reply_from, len(self._said))


def _with_results(messages: Sequence[Message]) -> list[Message]:
    """Models refuse a history in which a tool call has no result, right behind it.

    Ids are only looked for there: some models count them anew in every run.
    """
    whole: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        if message.role == "tool" and message.tool_call_id in waiting:
            waiting.remove(message.tool_call_id)
        else:
            whole += map(_not_answered, waiting)
            waiting = [call.id for call in message.tool_calls]
        whole.append(message)
    return [*whole, *map(_not_answered, waiting)]


def _not_answered(call_id: str) -> Message:
    return Message("tool", '{"error": "interrupted by the caller"}', tool_call_id=call_id)
