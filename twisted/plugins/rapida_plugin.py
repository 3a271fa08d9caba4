"""Makes `twistd rapida` known to twistd. This folder must not have an `__init__.py`."""

from __future__ import annotations

from twisted.application.service import ServiceMaker

rapida = ServiceMaker("rapida", "rapida_tw.tap", "The telephony server of rapida_tw.", "rapida")
