"""Reading the options of recognisers, voices and detectors: see rapida_tw/options.py."""

from __future__ import annotations

from rapida_tw.options import read, within

__all__ = ["read", "within"]
