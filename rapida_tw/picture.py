"""The picture of a call, where the library for pictures is installed."""

from __future__ import annotations

from pathlib import Path

from rapida_tw.errors import NotSupported
from rapida_tw.store.records import Conversation


def draw(wav: Path, conversation: Conversation) -> bytes:
    """The picture of a call; `NotSupported` where Pillow is not installed."""
    try:
        from rapida_tw.timeline import render
    except ImportError:
        raise NotSupported("pictures of calls need Pillow (the extra `picture`)") from None
    return render(wav, conversation)
