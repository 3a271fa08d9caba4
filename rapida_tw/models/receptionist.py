"""The demo assistant, ready to be stored: a small restaurant's receptionist."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any


def receptionist() -> Mapping[str, Any]:
    """The demo: `assistant` and `deployment` with the fields that the API has for them."""
    text = files("rapida_tw.models").joinpath("receptionist.json").read_text("utf-8")
    demo: Mapping[str, Any] = json.loads(text)
    return demo
