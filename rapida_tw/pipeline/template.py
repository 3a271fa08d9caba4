"""Templates of prompts and greetings: Jinja, cut down to what cannot hurt.

A template is written by whoever owns the assistant, its arguments come with the call, and both
meet in the reactor. So of Jinja's language there is: variables, a few filters, comparisons, `if`,
and `for` that is not nested. No calls, arithmetic, assignments or imports: what a template costs
is bounded by its length, and what it makes by `LARGEST`. Values are looked up by key only, never
by Python attribute.

An unknown variable is "". `{{ x | default("y") }}` may also be written `{{ x|default:"y" }}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rapida_tw.errors import MisconfiguredAssistant

LARGEST = 100_000  # characters, of a template and of what it makes

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.Getattr),
    *(nodes.Getitem, nodes.Filter, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Test, nodes.Concat, nodes.For, nodes.Keyword),
)
_FILTERS = ("capitalize", "first", "join", "last", "length", "lower", "title", "trim", "upper")
_TESTS = ("defined", "undefined", "none", "string", "number", "true", "false", "in", "eq", "ne")
# Rapida's own engine writes a filter's argument behind a colon.
_TAG = re.compile(r"\{\{.{0,500}?\}\}|\{%.{0,500}?%\}", re.DOTALL)
_COLON_ARGUMENT = re.compile(r"(\|\s*\w+)\s*:\s*(\"[^\"]*\"|'[^']*'|[\w.]+)")


class _Environment(ImmutableSandboxedEnvironment):
    """Looks values up in mappings and sequences, and nowhere else."""

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if isinstance(obj, Sequence) and isinstance(argument, int) and 0 <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)


def _default(value: Any, other: Any = "", boolean: bool = False) -> Any:
    """What is empty is missing, too: a call's arguments are texts."""
    return value if value or value == 0 else other


def _environment() -> _Environment:
    environment = _Environment(undefined=jinja2.ChainableUndefined, keep_trailing_newline=True)
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.filters["default"] = _default
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    environment.globals = {}
    return environment


_ENVIRONMENT = _environment()


class Template:
    """One text with variables; `MisconfiguredAssistant` names the line of a mistake."""

    def __init__(self, source: str) -> None:
        self._source = source
        # Most texts are just that.
        self._compiled = _compiled(source) if "{" in source else None

    def render(self, values: Mapping[str, Any]) -> str:
        """The text for these values; `MisconfiguredAssistant` for what it cannot do with them."""
        if self._compiled is None:
            return self._source
        pieces: list[str] = []
        size = 0
        try:
            for piece in self._compiled.generate(values):
                pieces.append(piece)
                size += len(piece)
                if size > LARGEST:
                    raise MisconfiguredAssistant(f"template makes more than {LARGEST} characters")
        except MisconfiguredAssistant:
            raise
        except Exception as error:
            # Comparing a text with a number, say: whatever it is, the template asked for it.
            raise MisconfiguredAssistant(f"template: {error}") from None
        return "".join(pieces)


@lru_cache(maxsize=256)
def _compiled(source: str) -> jinja2.Template:
    if len(source) > LARGEST:
        raise MisconfiguredAssistant(f"template is longer than {LARGEST} characters")
    source = _TAG.sub(lambda tag: _COLON_ARGUMENT.sub(r"\1(\2)", tag[0]), source)
    try:
        tree = _ENVIRONMENT.parse(source)
        _check(tree, in_loop=False)
        return _ENVIRONMENT.from_string(tree)
    except jinja2.TemplateSyntaxError as error:
        raise MisconfiguredAssistant(f"template, line {error.lineno}: {error.message}") from None
    except RecursionError:
        raise MisconfiguredAssistant("template: nested too deeply") from None


def _check(node: nodes.Node, in_loop: bool) -> None:
    looping = isinstance(node, nodes.For)
    if not isinstance(node, _ALLOWED):
        what = type(node).__name__.lower()
        raise jinja2.TemplateSyntaxError(f"{what} is not allowed here", node.lineno)
    if looping and in_loop:
        raise jinja2.TemplateSyntaxError("a loop within a loop is not allowed", node.lineno)
    for child in node.iter_child_nodes():
        _check(child, in_loop or looping)


def variables(
    assistant_id: int,
    assistant_name: str,
    conversation_id: int,
    identifier: str,
    direction: str,
    now: datetime,
    arguments: Mapping[str, Any],
    assistant_description: str = "",
    source: str = "phone-call",
) -> dict[str, Any]:
    """What a template can name. `now` is aware, in the zone that the caller shall hear of.

    The call's arguments are there as `args.x` and as `x`; the names of ours come first.
    """
    return {
        **arguments,
        "args": arguments,
        "system": {
            "current_date": now.date().isoformat(),
            "current_time": now.strftime("%H:%M:%S"),
            "current_datetime": now.strftime("%Y-%m-%d %H:%M:%S"),
            "day_of_week": _DAYS[now.weekday()],
            "date_rfc1123": format_datetime(now.astimezone(UTC), usegmt=True),
            "date_unix": int(now.timestamp()),
            "date_unix_ms": int(now.timestamp() * 1000),
        },
        "assistant": {
            "id": assistant_id,
            "name": assistant_name,
            "description": assistant_description,
        },
        "conversation": {
            "id": conversation_id,
            "identifier": identifier,
            "source": source,
            "direction": direction,
            "created_date": now.isoformat(timespec="seconds"),
        },
    }


# Not strftime's: those follow the process's locale.
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
