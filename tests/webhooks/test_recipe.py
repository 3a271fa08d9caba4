"""What docs/webhooks.rst tells receivers to do."""

from __future__ import annotations

import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rapida_tw.webhooks.signature import signature

DOCS = Path(__file__).parents[2] / "docs" / "webhooks.rst"
SECRET, NOW, BODY = "whsec_test_secret_000", 1_800_000_000, b'{"event":"ping","eventId":"evt_1"}'


def recipe() -> Any:
    """`is_ours` of the documentation, at half a minute past `NOW`."""
    block = DOCS.read_text("utf-8").partition(".. code-block:: python\n")[2]
    code = block.partition(".. code-block::")[0]
    names: dict[str, Any] = {}
    exec(textwrap.dedent(code), names)
    names["time"] = SimpleNamespace(time=lambda: NOW + 30.0)
    return names["is_ours"]


def test_ours() -> None:
    """It takes ours, also while a secret is replaced."""
    is_ours = recipe()
    assert is_ours(SECRET, signature([SECRET], NOW, BODY), BODY)
    assert is_ours(SECRET, signature(["another", SECRET], NOW, BODY), BODY)


def test_not_ours() -> None:
    """It takes no other body, secret or time, and no nonsense."""
    is_ours = recipe()
    header = signature([SECRET], NOW, BODY)
    assert not is_ours(SECRET, header, BODY + b" ")
    assert not is_ours("another", header, BODY)
    assert not is_ours(SECRET, header.replace(f"t={NOW}", f"t={NOW + 1}"), BODY)
    assert not is_ours(SECRET, signature([SECRET], NOW - 400, BODY), BODY)
    assert not is_ours(SECRET, "", BODY)
    assert not is_ours(SECRET, "t=x,v1=y", BODY)


def test_vector() -> None:
    """The one that is printed there."""
    assert signature([SECRET], NOW, BODY).partition("v1=")[2] in DOCS.read_text("utf-8")
