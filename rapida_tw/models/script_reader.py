"""From an assistant's `model.options` to a `Script`: all mistakes at once, none left for the call.

The short form is enough for a test or a first try::

    {"replies": [["hello", "Hi there."], ["bye | goodbye", {"say": "Bye.", "end": true}]],
     "otherwise": "Sorry?"}

`receptionist.json` beside this file is an example of the long form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.fields import Fields
from rapida_tw.models.pattern import Gap, any_of
from rapida_tw.models.script import (
    FAILED,
    FAREWELL,
    MEANWHILE,
    NO,
    UNAVAILABLE,
    YES,
    Action,
    Form,
    Intent,
    Menu,
    Question,
    Request,
    Script,
    Slot,
)
from rapida_tw.models.slots import Choice, Day, Digits, Kind, Number, Value, choice, yes_or_no
from rapida_tw.models.times import Time

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FIELD = re.compile(r"\{(\w+)\}")
_KEYS = re.compile(r"\d{1,8}|[*#]")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def read_script(options: Mapping[str, Any]) -> Script:
    """The script in `options`; `MisconfiguredAssistant` names every mistake in it."""
    fields = Fields(options, "", [])
    script = _short(fields) if fields.has("replies") or fields.has("otherwise") else _long(fields)
    fields.done()
    if fields.mistakes:
        raise MisconfiguredAssistant("the script is wrong: " + "; ".join(fields.mistakes))
    return script


def _short(fields: Fields) -> Script:
    """Pairs of a wording and a text (or an action), and one for everything else."""
    intents = {}
    for at, pair in enumerate(fields.items("replies")):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            fields.wrong(f"replies[{at}]", "must be a pair: a wording and a reply")
            continue
        action = {"say": pair[1]} if isinstance(pair[1], str) else pair[1]
        entry = Fields({"wording": pair[0], "reply": action}, f"replies[{at}]", fields.mistakes)
        reply, pattern = _action(entry.inner("reply")), entry.wordings("wording")
        if pattern is not None:
            intents[f"reply{at}"] = Intent(f"reply{at}", pattern, reply)
    otherwise = Action(fields.text("otherwise"))
    menu = Menu("main", intents=tuple(intents))
    return Script(menus={"main": menu}, intents=intents, give_up=otherwise)


def _long(fields: Fields) -> Script:
    intents = {name: _intent(name, inner) for name, inner in _named(fields, "intents")}
    menus = {name: _menu(name, inner) for name, inner in _named(fields, "menus")}
    forms = {name: _form(name, inner) for name, inner in _named(fields, "forms")}
    script = Script(
        start=fields.text("start", "main"),
        menus=menus,
        forms=forms,
        intents=intents,
        always=fields.texts("always"),
        keys=_keys(fields),
        before=fields.wordings("before"),
        after=fields.wordings("after"),
        yes=fields.wordings("yes") or YES,
        no=fields.wordings("no") or NO,
        give_up=_action(fields.inner("giveUp")) if fields.has("giveUp") else Action(end=True),
        unavailable=fields.text("unavailable", UNAVAILABLE),
        farewell=fields.text("farewell", FAREWELL),
    )
    _check_names(script, fields)
    return script


def _named(fields: Fields, key: str) -> Iterable[tuple[str, Fields]]:
    for name, inner in fields.each(key):
        if _NAME.fullmatch(name):
            yield name, inner
        else:
            fields.wrong(key, f"{name!r} is no name: lower-case letters, digits and _")


def _keys(fields: Fields) -> Mapping[str, str]:
    keys = fields.table("keys")
    for digits in keys:
        if not _KEYS.fullmatch(digits):
            fields.wrong("keys", f"{digits!r} cannot be pressed")
    return keys


def _action(fields: Fields) -> Action:
    action = _open_action(fields)
    fields.done()
    return action


def _open_action(fields: Fields) -> Action:
    """An action among other fields, which the caller reads."""
    request = None
    if fields.has("request"):
        inner = fields.inner("request")
        request = Request(
            inner.needed("tool"),
            inner.table("arguments"),
            inner.text("meanwhile", MEANWHILE),
            inner.text("failed", FAILED),
        )
        inner.done()
    action = Action(
        say=fields.text("say"),
        then=fields.text("then"),
        request=request,
        transfer=fields.text("transfer"),
        end=fields.flag("end"),
        repeat=fields.flag("repeat"),
        help=fields.flag("help"),
    )
    ways = (action.then, action.transfer, action.end, action.repeat, action.help)
    if sum(map(bool, ways)) > 1:
        fields.wrong("", "only one of then, transfer, end, repeat, help")
    return action


def _intent(name: str, fields: Fields) -> Intent:
    pattern = fields.wordings("phrases")
    if pattern is None:
        fields.wrong("phrases", "needs at least one wording")
        pattern = YES
    action = _open_action(fields)
    fields.done()
    return Intent(name, pattern, action)


def _question(fields: Fields, needed: bool = True) -> Question:
    ask = fields.needed("ask") if needed else fields.text("ask")
    return Question(ask, fields.texts("retry"), fields.text("help"))


def _menu(name: str, fields: Fields) -> Menu:
    question = _question(fields, needed=False)
    again = fields.text("again", question.ask)
    menu = Menu(name, question, again, fields.texts("intents"), _keys(fields))
    fields.done()
    return menu


def _form(name: str, fields: Fields) -> Form:
    slots: list[Slot] = []
    for inner in fields.listed("slots"):
        slots.append(_slot(name, inner))
        if slots[-1].name in {slot.name for slot in slots[:-1]}:
            inner.wrong("name", "is there twice")
    if not slots:
        fields.wrong("slots", "needs at least one slot")
    form = Form(
        name,
        tuple(slots),
        _action(fields.inner("done")),
        _asked(fields, "confirm"),
        _asked(fields, "change"),
    )
    known = {slot.name for slot in slots}
    for where, text in _templates(form):
        for field in set(_FIELD.findall(text)) - known:
            fields.wrong(where, f"there is no slot {field!r} for {{{field}}}")
    fields.done()
    return form


def _asked(fields: Fields, key: str) -> Question | None:
    if not fields.has(key):
        return None
    inner = fields.inner(key)
    question = _question(inner)
    inner.done()
    return question


def _templates(form: Form) -> Iterable[tuple[str, str]]:
    for slot in form.slots:
        yield "slots", slot.heard
    if form.confirm:
        yield "confirm", form.confirm.ask
    if form.done.request is None:  # with one, the fields of its result can be told too
        yield "done", form.done.say
    else:
        yield from (("done", text) for text in form.done.request.arguments.values())


def _slot(form: str, fields: Fields) -> Slot:
    name = fields.needed("name")
    if name and not _NAME.fullmatch(name):
        fields.wrong("name", f"{name!r}: lower-case letters, digits and _")
    kind_name = fields.needed("type")
    if kind_name and kind_name not in _KINDS:
        fields.wrong("type", f"{kind_name!r} is none of {', '.join(sorted(_KINDS))}")
    kind = _KINDS[kind_name](fields) if kind_name in _KINDS else Day()
    value = Gap(f"{form}_{name}", kind.pattern)
    framed = [fields.wordings("wordings", value)]
    if kind.sure is not None:
        framed.append(Gap(f"{form}_{name}_sure", kind.sure))
    known = [pattern for pattern in framed if pattern is not None]
    slot = Slot(
        name,
        kind,
        _question(fields),
        value,
        any_of(known) if known else None,
        fields.wordings("called"),
        fields.text("heard"),
        fields.text("outside"),
        float(fields.number("collect", 0, 0, 60)),
    )
    fields.done()
    return slot


def _number(fields: Fields) -> Kind:
    low = fields.number("min", 1, 0, 99)
    return Number(low, max(low, fields.number("max", 10, low, 99)))


def _digits(fields: Fields) -> Kind:
    low = fields.number("min", 1, 1, 32)
    return Digits(low, max(low, fields.number("max", low, low, 32)))


def _time(fields: Fields) -> Kind:
    def minutes(key: str, default: str) -> int:
        clock = _CLOCK.fullmatch(fields.text(key, default))
        if clock is None:
            fields.wrong(key, "must be a time such as 19:30")
            return 0
        return int(clock[1]) * 60 + int(clock[2])

    earliest, latest = minutes("earliest", "00:00"), minutes("latest", "23:59")
    if latest < earliest:
        fields.wrong("latest", "is before earliest")
    return Time(earliest, latest)


def _choice(fields: Fields) -> Kind:
    options = []
    inner = fields.inner("options")
    for plain in inner.data:
        pattern = inner.wordings(plain)
        if pattern is None:
            inner.wrong(plain, "needs at least one wording")
        else:
            options.append((pattern, Value(plain, plain)))
    if not options:
        fields.wrong("options", "needs at least one choice")
        return Day()
    return choice(options)


def _yes_no(fields: Fields) -> Choice:
    return yes_or_no(YES, NO)


_KINDS: dict[str, Callable[[Fields], Kind]] = {
    "number": _number,
    "digits": _digits,
    "day": lambda fields: Day(fields.flag("dates")),
    "time": _time,
    "choice": _choice,
    "yesno": _yes_no,
}


def _check_names(script: Script, fields: Fields) -> None:
    """Whoever is pointed at must be there."""
    places = script.menus.keys() | script.forms.keys()
    if script.start not in places:
        fields.wrong("start", f"there is no menu or form {script.start!r}")
    if both := script.menus.keys() & script.forms.keys():
        fields.wrong("forms", f"menus of the same name: {', '.join(sorted(both))}")
    named = [("always", script.always), ("keys", script.keys.values())]
    for name, menu in script.menus.items():
        named.append((f"menus.{name}.intents", menu.intents))
        named.append((f"menus.{name}.keys", menu.keys.values()))
    for where, names in named:
        for missing in sorted(set(names) - script.intents.keys()):
            fields.wrong(where, f"there is no intent {missing!r}")
    actions = [("giveUp", script.give_up)]
    actions += [(f"intents.{name}", intent.action) for name, intent in script.intents.items()]
    actions += [(f"forms.{name}.done", form.done) for name, form in script.forms.items()]
    for where, action in actions:
        if where.endswith(".done") and not (action.then or action.transfer or action.end):
            fields.wrong(where, "must lead on: then, transfer or end")
        if action.then and action.then not in places:
            fields.wrong(f"{where}.then", f"there is no menu or form {action.then!r}")
