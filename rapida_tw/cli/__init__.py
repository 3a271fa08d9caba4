"""The `rapida` command: one file a noun."""

from __future__ import annotations

from rapida_tw.cli.command import main

__all__ = ["main"]
