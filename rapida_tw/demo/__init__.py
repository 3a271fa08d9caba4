"""The demo: a real server, a real call to it over TCP, and what came of it."""

from __future__ import annotations

from rapida_tw.demo.performance import demo

__all__ = ["demo"]
