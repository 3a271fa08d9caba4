"""What can be said at a place of a script, as JSGF and as phrases for recognisers without grammars.

The same wordings that `understanding` looks for, strung together more strictly than a text would
have to be: a grammar that allows less is recognised better.
"""

from __future__ import annotations

from collections.abc import Iterator

from rapida_tw.expect import Expectation
from rapida_tw.models.pattern import Gap, InOrder, Maybe, OneOf, Pattern, Repeated, any_of
from rapida_tw.models.script import Asking, Form, Place, Script, Slot
from rapida_tw.models.slots import Choice, Digits
from rapida_tw.models.understanding import intents_at


def expectation(script: Script, place: Place) -> Expectation:
    """What may be said or pressed at `place`; no grammar when the script listens for nothing."""
    sayable = list(_sayable(script, place))
    if not sayable:
        return Expectation(digits=_digits(script, place))
    gaps = {gap.rule: gap for pattern in sayable for gap in _gaps(pattern)}
    heard: list[Pattern] = [any_of(sayable)]
    if script.after is not None:
        heard.append(Maybe(script.after))
    rules = [f"<{rule}> = {gap.part.jsgf()};" for rule, gap in gaps.items()]
    public = f"public <heard> = {InOrder(tuple(heard)).jsgf()};"
    grammar = "\n".join(("#JSGF V1.0;", "grammar script;", *rules, public, ""))
    return Expectation(grammar, _phrases(script, place), _digits(script, place))


def _sayable(script: Script, place: Place) -> Iterator[Pattern]:
    # An answer is short; allowing "hello" or "I would like" before it costs more than it gives.
    politely = (Maybe(script.before),) if script.before is not None else ()
    intents = []
    for intent in intents_at(script, place):
        opened = script.forms.get(intent.action.then)
        intents.append(_followed(intent.pattern, opened) if opened else intent.pattern)
    if intents:
        yield InOrder((*politely, any_of(intents)))
    if place.asking is Asking.MENU:
        return
    form = script.forms[place.name]
    if place.asking is Asking.SLOT:
        slot = form.slot(place.slot)
        answers = [slot.value] if slot.framed is None else [slot.value, slot.framed]
        yield _followed(any_of(answers), form, besides=slot)
    elif place.asking is Asking.CONFIRM:
        yield script.yes
        yield _followed(script.no, form)
        yield from _framed(form)
    else:
        yield from (slot.called for slot in form.slots if slot.called is not None)
        yield from _framed(form)


def _framed(form: Form, besides: Slot | None = None) -> list[Pattern]:
    """Values that can be said unasked. Strings of digits cannot: they would swallow all else."""
    return [
        slot.framed
        for slot in form.slots
        if slot.framed and slot is not besides and not isinstance(slot.kind, Digits)
    ]


def _followed(pattern: Pattern, form: Form, besides: Slot | None = None) -> Pattern:
    """`pattern`, and after it other values of the form, each at most once.

    In the order of the form, in the opposite one, or the first one last ("tomorrow at seven for
    four"). A loop would take any order but also "for ten ten ten" (measured: 1 % more sentences
    wrong); all orders of three take three times as long to load for no better a result.
    """
    framed = tuple(map(Maybe, _framed(form, besides)))
    if not framed:
        return pattern
    orders = dict.fromkeys((framed, framed[::-1], (*framed[1:], framed[0])))
    return InOrder((pattern, any_of([InOrder(order) for order in orders])))


def _gaps(pattern: Pattern) -> Iterator[Gap]:
    """The gaps below a node, inner ones first: a rule is defined before it is used."""
    match pattern:
        case Gap():
            yield from _gaps(pattern.part)
            yield pattern
        case InOrder() | OneOf():
            for part in pattern.parts:
                yield from _gaps(part)
        case Maybe() | Repeated():
            yield from _gaps(pattern.part)


def _phrases(script: Script, place: Place) -> tuple[str, ...]:
    """The shortest way to say each wording that has words of its own."""
    patterns = [intent.pattern for intent in intents_at(script, place)]
    match place.asking:
        case Asking.SLOT:
            kind = script.forms[place.name].slot(place.slot).kind
            patterns += [kind.pattern] if isinstance(kind, Choice) else []
        case Asking.CONFIRM:
            patterns += [script.yes, script.no]
        case Asking.CHANGE:
            patterns += [slot.called for slot in script.forms[place.name].slots if slot.called]
    wordings = [
        wording
        for pattern in patterns
        for wording in (pattern.parts if isinstance(pattern, OneOf) else (pattern,))
    ]
    return tuple(dict.fromkeys(wording.shortest() for wording in wordings))


def _digits(script: Script, place: Place) -> int:
    match place.asking:
        case Asking.SLOT:
            return script.forms[place.name].slot(place.slot).kind.digits
        case Asking.CONFIRM | Asking.CHANGE:
            return 1
    keys = {**script.keys, **script.menus[place.name].keys}
    return 1 if all(len(key) == 1 for key in keys) else 0
