"""The tools of one call: those every assistant has, and those its definition adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rapida_tw.carriers.outbound import Line
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.media.playout import Playout
from rapida_tw.pipeline.http_tool import HttpTool
from rapida_tw.pipeline.keypad import Keypad
from rapida_tw.pipeline.mcp_tools import Toolkit
from rapida_tw.pipeline.steering_tools import LONGEST_HOLD, SendDigits
from rapida_tw.pipeline.tools import (
    CollectDigits,
    EndCall,
    Kit,
    Runner,
    ToolBox,
    TransferCall,
    targets,
)
from rapida_tw.store.records import JSON


@dataclass(frozen=True, slots=True)
class Makers:
    """What makes the tools that reach out of the house; `MisconfiguredAssistant` for bad ones."""

    http: Callable[[JSON], HttpTool]
    mcp: Callable[[JSON], Toolkit]


def toolset(
    definitions: Sequence[JSON],
    keypad: Keypad,
    playout: Playout,
    line: Line,
    makers: Makers,
    hold: Callable[[float], Runner] | None = None,
) -> ToolBox:
    """An assistant's `tools`, ready to be used; `MisconfiguredAssistant` names a bad one.

    Ending the call and collecting digits need no definition. A transfer does, because it says to
    whom. `hold`: makes the tool that holds the caller for so many seconds at most; None: nobody can
    be held.
    """
    runners: list[Runner] = [EndCall(), CollectDigits(keypad, playout)]
    kits: list[Kit] = []
    for definition in definitions:
        method = _method(definition)
        if method == "transfer_call":
            options = _options(definition)
            message = str(options.get("tool.transfer_message") or "")
            runners.append(TransferCall(line, targets(options), playout, message))
        elif method == "put_on_hold":
            longest = _longest_hold(_options(definition))
            if hold is not None:
                runners.append(hold(longest))
        elif method == "send_digits":
            runners.append(SendDigits(line))
        elif method == "api_request":
            runners.append(makers.http(definition))
        elif method == "mcp":
            kits.append(makers.mcp(definition))
        elif method not in ("end_of_conversation", "collect_digits"):
            raise MisconfiguredAssistant(f"tools: there is no executionMethod {method!r}")
    return ToolBox(runners, kits)


def _method(definition: JSON) -> str:
    """Written with dashes or underscores."""
    return str(definition.get("executionMethod") or definition.get("name") or "").replace("-", "_")


def _longest_hold(options: JSON) -> float:
    """Seconds."""
    told = options.get("tool.max_hold_time", LONGEST_HOLD)
    try:
        seconds = float(told)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 1 <= seconds <= 3600:
        raise MisconfiguredAssistant("tools: tool.max_hold_time must be 1 to 3600 seconds")
    return seconds


def _options(definition: JSON) -> JSON:
    options: Any = definition.get("options") or {}
    if not isinstance(options, dict):
        raise MisconfiguredAssistant("tools: options must be an object")
    return options
