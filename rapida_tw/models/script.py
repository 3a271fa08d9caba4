"""A script: what the scripted model understands, asks and says. Frozen values, no behaviour.

A *menu* waits for an intent. An *intent* is a set of wordings and an action. A *form* asks for its
slots one by one, reads them back, and then does an action. See `script_reader` for the JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from rapida_tw.models.pattern import Gap, Pattern, parse
from rapida_tw.models.slots import Kind

YES = parse(
    "yes [please] | yeah | yep | sure | okay | of course"
    " | (that's | that is | it is) [all] (right | correct | fine) | correct"
)
NO = parse(
    "no [thank you | thanks | sorry] | nope | not (quite | sure | right | correct) | wrong"
    " | that's (wrong | not right)"
)
MEANWHILE = "One moment, please."
FAILED = "I am sorry, that did not work."
UNAVAILABLE = "I am sorry, nobody can take your call right now."
FAREWELL = "I am sorry that I could not help you. Please call again later. Goodbye."


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request by a tool of the assistant named `tool`, with the form's values filled in."""

    tool: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    meanwhile: str = MEANWHILE
    failed: str = FAILED


@dataclass(frozen=True, slots=True)
class Action:
    """What is done: first the request, then `say`, then at most one of the others.

    An action that leads nowhere (`then` is "") goes on with the question that was open.
    """

    say: str = ""
    then: str = ""  # a menu or a form
    request: Request | None = None
    transfer: str = ""  # a number or an extension
    end: bool = False
    repeat: bool = False
    help: bool = False


@dataclass(frozen=True, slots=True)
class Intent:
    """Something that the caller may want: the wordings for it, and what is done."""

    name: str
    pattern: Pattern
    action: Action


@dataclass(frozen=True, slots=True)
class Question:
    """`ask`, and what to say instead when the answer was not understood once, twice, ..."""

    ask: str = ""
    retry: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """Waits for one of `intents`; `again` is asked instead when it is come back to."""

    name: str
    question: Question = Question()
    again: str = ""
    intents: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)  # digits to intents


@dataclass(frozen=True, slots=True)
class Slot:
    """One value of a form. `value` is how it is said when asked for, `framed` how at any time."""

    name: str
    kind: Kind
    question: Question
    value: Gap
    framed: Pattern | None = None
    called: Pattern | None = None  # its own name: "the time"
    heard: str = ""  # part of the sentence that tells what was understood: "for {people}"
    outside: str = ""  # said when the value is not allowed
    collect: float = 0.0  # seconds: ask with the tool `collect_digits`; 0: by voice and keys


@dataclass(frozen=True, slots=True)
class Form:
    """Asks for its slots, reads them back with `confirm`, and does `done`."""

    name: str
    slots: tuple[Slot, ...]
    done: Action
    confirm: Question | None = None
    change: Question | None = None  # after "no": which one is wrong? None: all over again

    def slot(self, name: str) -> Slot:
        return next(slot for slot in self.slots if slot.name == name)


@dataclass(frozen=True, slots=True)
class Script:
    """The whole: `start` is a menu or a form; the intents `always` are understood anywhere."""

    start: str = "main"
    menus: Mapping[str, Menu] = field(default_factory=dict)
    forms: Mapping[str, Form] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    always: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    before: Pattern | None = None  # politeness that may stand before anything
    after: Pattern | None = None
    yes: Pattern = YES
    no: Pattern = NO
    give_up: Action = Action(end=True)
    unavailable: str = UNAVAILABLE
    farewell: str = FAREWELL


class Asking(Enum):
    """What an open question is about."""

    MENU = "menu"
    SLOT = "slot"
    CONFIRM = "confirm"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a script a call is: a menu, or a form and how far it is."""

    asking: Asking
    name: str  # of the menu or form
    slot: str = ""
