"""The state machine of a script: what was meant in, what is said and done out. No port, no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapida_tw.models.base import ToolCall
from rapida_tw.models.script import Action, Asking, Form, Menu, Place, Question, Request, Script
from rapida_tw.models.slots import Value
from rapida_tw.models.understanding import Meaning, understand

_FIELD = re.compile(r"\{(\w+)\}")
_COLLECT = Action()  # stands for "the digits answer the open question"


@dataclass(frozen=True, slots=True)
class Turn:
    """The assistant's side of one exchange."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()


class Dialogue:
    """One call's way through a script; `offered` is always the names of the tools on offer.

    `place` is where it is now. `last` is what was last meant to be said, heard or not.
    """

    def __init__(self, script: Script) -> None:
        self.last = ""
        self.place = Place(Asking.MENU, script.start)
        self._script = script
        self._values: dict[str, Value] = {}
        self._misses = 0  # utterances in a row that were not understood
        self._gave_up = False
        self._offered: Collection[str] = ()
        self._awaited: dict[str, Action] = {}  # what goes on with the result of a tool, by its id
        self._calls = 0
        if script.start in script.forms:
            self._enter(script.forms[script.start])

    def begin(self, offered: Collection[str]) -> Turn:
        """Speak first: put the open question."""
        self._offered = offered
        return self._go_on([])

    def heard(self, text: str, offered: Collection[str]) -> Turn:
        """The caller said something, or pressed keys; "" is something not understood."""
        self._offered = offered
        meaning = understand(self._script, self.place, text)
        if not meaning:
            return self._missed()
        self._misses = 0
        self._gave_up = False
        if meaning.intent:
            return self._act(self._script.intents[meaning.intent].action, meaning.values)
        form = self._script.forms[self.place.name]
        if meaning.slot:
            self._values.pop(meaning.slot, None)
            self.place = Place(Asking.SLOT, form.name, meaning.slot)
            return self._go_on([])
        return self._answered(form, meaning)

    def told(self, call_id: str, result: str, offered: Collection[str]) -> Turn:
        """A tool has answered, with JSON; says nothing when there is nothing to add."""
        self._offered = offered
        action = self._awaited.pop(call_id, None)
        fields = _fields(result)
        if action is _COLLECT:
            return self.heard(str(fields.get("digits", "")), offered)
        if action is None:
            return Turn()
        failed = "error" in fields
        if action.request is not None:
            known = {name: str(value) for name, value in fields.items()}
            said = action.request.failed if failed else self._fill(action.say, known)
            return self._lead(action, [said])
        return self._not_transferred() if failed and action.transfer else Turn()

    # What is done

    def _act(self, action: Action, values: Mapping[str, Value]) -> Turn:
        if action.repeat:
            return self._say([self.last]) if self.last else self._go_on([])
        if action.help:
            return self._helped()
        if action.request is not None:
            return self._requested(action, action.request)
        if action.transfer:
            if "transfer_call" not in self._offered:
                return self._not_transferred()
            call = self._call("transfer_call", {"to": action.transfer}, action)
            return self._say([self._fill(action.say)], call)
        return self._lead(action, [self._fill(action.say)], values)

    def _lead(
        self, action: Action, said: Sequence[str], values: Mapping[str, Value] | None = None
    ) -> Turn:
        """Say it and go where the action leads; nowhere is back to the open question."""
        if action.end:
            return self._ended(said)
        if action.then in self._script.menus:
            self.place = Place(Asking.MENU, action.then)
        elif action.then in self._script.forms:
            form = self._script.forms[action.then]
            self._enter(form)
            if values:
                return self._answered(form, Meaning(values=values), said)
        return self._go_on(said, again=True)

    def _requested(self, action: Action, request: Request) -> Turn:
        if request.tool not in self._offered:
            return self._lead(action, [request.failed])
        arguments = {
            name: _FIELD.sub(lambda found: self._plain(found[1]), text)
            for name, text in request.arguments.items()
        }
        return self._say([request.meanwhile], self._call(request.tool, arguments, action))

    def _ended(self, said: Sequence[str]) -> Turn:
        if "end_call" in self._offered:
            return self._say(said, self._call("end_call", {}, Action(end=True)))
        return self._say(said)

    def _not_transferred(self) -> Turn:
        if self._gave_up:
            # Neither understood nor transferred: asking on would only annoy.
            return self._ended([self._script.unavailable, self._script.farewell])
        return self._go_on([self._script.unavailable], again=True)

    def _helped(self) -> Turn:
        question = self._question()
        hints = [question.help, *reversed(question.retry), question.ask]
        return self._say([self._fill(next(filter(None, hints), ""))], self._collecting())

    def _missed(self) -> Turn:
        retry = self._question().retry
        if self._misses < len(retry):
            self._misses += 1
            return self._say([self._fill(retry[self._misses - 1])], self._collecting())
        self._misses = 0
        self._gave_up = bool(self._script.give_up.transfer)
        return self._act(self._script.give_up, {})

    # Forms

    def _enter(self, form: Form) -> None:
        self._values = {}
        self.place = Place(Asking.SLOT, form.name, form.slots[0].name)

    def _answered(self, form: Form, meaning: Meaning, said: Sequence[str] = ()) -> Turn:
        """Values, or an answer to "is that right?", or both: "no, for five"."""
        news = {
            name: value for name, value in meaning.values.items() if self._values.get(name) != value
        }
        if meaning.answer and not news:
            return self._denied(form) if meaning.answer == "no" else self._act(form.done, {})
        refused = [name for name, value in news.items() if not value.fits]
        self._values |= {name: value for name, value in news.items() if value.fits}
        missing = refused or [slot.name for slot in form.slots if slot.name not in self._values]
        if not missing:
            return self._complete(form, said)
        self.place = Place(Asking.SLOT, form.name, missing[0])
        said = [*said, self._echo(form, [name for name in news if name not in refused])]
        outside = form.slot(missing[0]).outside if refused else ""
        if outside:
            return self._say([*said, outside], self._collecting())
        return self._go_on(said)

    def _echo(self, form: Form, names: Sequence[str]) -> str:
        """What was heard, as one sentence: the caller can object at once."""
        parts = filter(None, (self._fill(form.slot(name).heard) for name in names))
        text = ", ".join(parts)
        return text[:1].upper() + text[1:] + "." if text else ""

    def _complete(self, form: Form, said: Sequence[str]) -> Turn:
        if form.confirm is None:
            return self._act(form.done, {})
        self.place = Place(Asking.CONFIRM, form.name)
        return self._go_on(said)

    def _denied(self, form: Form) -> Turn:
        if form.change is None:
            self._enter(form)
        else:
            self.place = Place(Asking.CHANGE, form.name)
        return self._go_on([])

    # Words

    def _question(self) -> Question:
        found = self._script.menus.get(self.place.name) or self._script.forms[self.place.name]
        if isinstance(found, Menu):
            return found.question
        match self.place.asking:
            case Asking.CONFIRM:
                return found.confirm or Question()
            case Asking.CHANGE:
                return found.change or Question()
        return found.slot(self.place.slot).question

    def _go_on(self, said: Sequence[str], again: bool = False) -> Turn:
        """Say it, then put the open question; a menu that is come back to has its own."""
        question = self._question().ask
        if again and self.place.asking is Asking.MENU:
            question = self._script.menus[self.place.name].again
        return self._say([*said, self._fill(question)], self._collecting())

    def _say(self, said: Sequence[str], *calls: ToolCall | None) -> Turn:
        self.last = " ".join(filter(None, said))
        return Turn(self.last, tuple(call for call in calls if call is not None))

    def _fill(self, text: str, known: Mapping[str, str] | None = None) -> str:
        spoken = {name: value.spoken for name, value in self._values.items()} | dict(known or {})
        return _FIELD.sub(lambda found: spoken.get(found[1], ""), text)

    def _plain(self, name: str) -> str:
        value = self._values.get(name)
        return value.plain if value else ""

    # Tools

    def _collecting(self) -> ToolCall | None:
        """The tool that takes digits, where the open question wants it."""
        if self.place.asking is not Asking.SLOT or "collect_digits" not in self._offered:
            return None
        slot = self._script.forms[self.place.name].slot(self.place.slot)
        if not slot.collect:
            return None
        arguments = {"count": slot.kind.digits, "timeout": slot.collect}
        return self._call("collect_digits", arguments, _COLLECT)

    def _call(self, name: str, arguments: Mapping[str, Any], action: Action) -> ToolCall:
        self._calls += 1
        call = ToolCall(f"call{self._calls}", name, arguments)
        # One tool a turn: whoever has not answered eight turns later is not waited for.
        self._awaited = dict([*self._awaited.items(), (call.id, action)][-8:])
        return call


def _fields(result: str) -> Mapping[str, Any]:
    """A tool's result; what is no JSON object has no fields."""
    try:
        fields = json.loads(result)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
