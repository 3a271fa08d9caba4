"""What tests of several recognisers need."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from rapida_tw.speech.base import Host


@pytest.fixture
def host() -> Host:
    """A process without a way out, at the beginning of time."""
    return Host(Clock(), Path())
