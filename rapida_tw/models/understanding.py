"""From words or keys to what the caller means, at one place of a script.

Everything that can be said there is looked for anywhere in the text, and the longest wording wins,
so the words between ("well, could you maybe") do no harm whichever recogniser wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rapida_tw.models.numerals import plain_words
from rapida_tw.models.pattern import Pattern, compiled
from rapida_tw.models.script import Asking, Form, Intent, Place, Script, Slot
from rapida_tw.models.slots import Value

_PRESSED = re.compile(r"[0-9*#]+")
_ALL_DIGITS = re.compile(r"\+?[0-9][0-9 ().-]*")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What was understood; all empty: nothing was.

    `intent` is a name, `values` belong to the slots of the open form (or of the one that the
    intent opens), `answer` is "yes", "no" or "", `slot` the one that the caller wants to change.
    """

    intent: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    answer: str = ""
    slot: str = ""

    def __bool__(self) -> bool:
        return bool(self.intent or self.values or self.answer or self.slot)


@dataclass(frozen=True, slots=True)
class _Found:
    """A stretch of words that a wording covers."""

    begin: int  # characters
    end: int
    slot: str = ""
    value: Value | None = None

    @property
    def length(self) -> int:
        return self.end - self.begin


_NOTHING = _Found(0, 0)


def understand(script: Script, place: Place, text: str) -> Meaning:
    """What `text`, words or only pressed keys, means at `place`."""
    text = text.strip()
    if _PRESSED.fullmatch(text):
        return _pressed(script, place, text)
    words = plain_words(text) + " "
    intent, length = _best_intent(script, place, words)
    form = script.forms.get(place.name) if place.asking is not Asking.MENU else None
    if form is None:
        if intent is None:
            return Meaning()
        opened = script.forms.get(intent.action.then)
        return Meaning(intent.name, _values(opened, words)[0] if opened else {})
    asked = form.slot(place.slot) if place.asking is Asking.SLOT else None
    if asked is not None and _ALL_DIGITS.fullmatch(text):
        # A telephone number as a recogniser writes it: "555 01-23".
        value = asked.kind.pressed(re.sub(r"\D", "", text))
        return Meaning(values={asked.name: value}) if value else Meaning()
    values, covered = _values(form, words, asked)
    if place.asking is Asking.CONFIRM:
        return _confirmed(script, words, intent, length, values, covered)
    if intent is not None and length > covered:
        return Meaning(intent.name)
    if values:
        return Meaning(values=values)
    return Meaning(slot=_called(form, words)) if place.asking is Asking.CHANGE else Meaning()


def intents_at(script: Script, place: Place) -> list[Intent]:
    """Those that the place listens for: a menu's own first, then those understood anywhere."""
    own = script.menus[place.name].intents if place.asking is Asking.MENU else ()
    return [script.intents[name] for name in dict.fromkeys((*own, *script.always))]


def _pressed(script: Script, place: Place, text: str) -> Meaning:
    digits = text.strip("#")
    key = digits or "#"
    if place.asking is Asking.MENU:
        keys = {**script.keys, **script.menus[place.name].keys}
        return Meaning(intent=keys.get(key, ""))
    form = script.forms[place.name]
    if place.asking is Asking.SLOT:
        value = form.slot(place.slot).kind.pressed(digits) if digits.isdigit() else None
        if value is not None and (value.fits or key not in script.keys):
            return Meaning(values={place.slot: value})
    elif place.asking is Asking.CONFIRM and key in ("1", "2"):
        return Meaning(answer="yes" if key == "1" else "no")
    elif place.asking is Asking.CHANGE:
        by_position = {str(at): slot.name for at, slot in enumerate(form.slots, 1)}
        if key in by_position:
            return Meaning(slot=by_position[key])
    return Meaning(intent=script.keys.get(key, ""))


def _confirmed(
    script: Script,
    words: str,
    intent: Intent | None,
    length: int,
    values: Mapping[str, Value],
    covered: int,
) -> Meaning:
    yes, no = _longest(script.yes, words), _longest(script.no, words)
    answer = ""
    if yes.length or no.length:
        answer = "yes" if yes.length > no.length else "no"
    # "Yes, thank you, goodbye" still means yes: what was asked for must not be lost.
    leaving = answer == "yes" and intent is not None and intent.action.end
    if intent is not None and length > max(covered, yes.length, no.length) and not leaving:
        return Meaning(intent.name)
    return Meaning(values=values, answer=answer)


def _called(form: Form, words: str) -> str:
    found = [(_longest(slot.called, words).length, slot.name) for slot in form.slots if slot.called]
    length, name = max(found, default=(0, ""), key=lambda pair: pair[0])
    return name if length else ""


def _best_intent(script: Script, place: Place, words: str) -> tuple[Intent | None, int]:
    """The intent that most characters speak of: its wording, and values of the form it opens."""
    best: tuple[Intent | None, int] = (None, 0)
    for intent in intents_at(script, place):
        length = _longest(intent.pattern, words).length
        opened = script.forms.get(intent.action.then)
        if length and opened is not None:
            length += _values(opened, words)[1]
        if length > best[1]:
            best = (intent, length)
    return best


def _longest(pattern: Pattern, words: str) -> _Found:
    found = (_Found(*match.span()) for match in compiled(pattern).finditer(words))
    return max(found, default=_NOTHING, key=lambda stretch: stretch.length)


def _values(form: Form, words: str, asked: Slot | None = None) -> tuple[Mapping[str, Value], int]:
    """The form's values in the text, and how many characters speak of them.

    Longer stretches win over shorter ones, then those of the slot that was asked for; what is
    said later corrects what was said earlier ("for four, no, for five").
    """
    found: list[_Found] = []
    for slot in form.slots:
        if slot.framed is not None:
            found += _stretches(slot, slot.framed, words)
        if slot is asked:
            found += _stretches(slot, slot.value, words)
    name = asked.name if asked else ""
    found.sort(key=lambda stretch: (-stretch.length, stretch.slot != name, stretch.begin))
    taken: list[_Found] = []
    for stretch in found:
        if all(stretch.end <= other.begin or other.end <= stretch.begin for other in taken):
            taken.append(stretch)
    taken.sort(key=lambda stretch: stretch.begin)
    values = {stretch.slot: stretch.value for stretch in taken if stretch.value is not None}
    return values, sum(stretch.length for stretch in taken)


def _stretches(slot: Slot, pattern: Pattern, words: str) -> list[_Found]:
    found = []
    for match in compiled(pattern).finditer(words):
        said = next(group for group in match.groups() if group)
        value = slot.kind.said(said.strip())
        if value is not None:
            found.append(_Found(*match.span(), slot.name, value))
    return found
