"""Recollection: what is kept of a call is little, and its own."""

from __future__ import annotations

import weakref

import numpy as np

from rapida_tw.audio.format import FRAME
from rapida_tw.speech.recollection import HELD, REPLAYED, Recollection


def test_views() -> None:
    """A frame that is a part of many calls' sound does not keep the others'."""
    memory = Recollection()
    together = np.zeros((400, FRAME), np.int16)
    kept = weakref.ref(together)
    memory.hear(together[7], ready=True)
    del together
    assert kept() is None


def test_bounded() -> None:
    """Two seconds, five while nobody is ready, and two again."""
    memory = Recollection()
    for ready, most in ((True, REPLAYED), (False, HELD), (True, REPLAYED)):
        for _ in range(1000):
            memory.hear(np.zeros(FRAME, np.int16), ready)
        assert len(memory._recent) == most
