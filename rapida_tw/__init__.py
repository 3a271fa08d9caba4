"""rapida_tw: an open telephony server that lets an assistant talk on the phone."""

from __future__ import annotations

__version__ = "0.1.0"
