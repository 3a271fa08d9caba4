"""Fakes of vendors in a process of their own, as official clients find them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tests.interop.certificate import Certificate
from tests.process import ended

RATE = 16_000  # Hz of what is spoken here


@contextmanager
def fake(name: str, tls: Certificate | None = None, **options: Any) -> Iterator[int]:
    """The TCP port of the fake in sim/vendors/`name`.py, made with these options."""
    command = [sys.executable, "-m", "rapida_tw.sim.vendors.process", name]
    if tls is not None:
        command += ["--certificate", str(tls.certificate), "--key", str(tls.key)]
    process = subprocess.Popen(
        [*command, "--options", json.dumps({name: options})],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["port"]
    finally:
        ended(process)
        if process.stdout is not None:
            process.stdout.close()


def spoken(seconds: float, rate: int = RATE) -> bytes:
    """linear16 that counts as a voice."""
    time = np.arange(round(seconds * rate)) / rate
    return (8000 * np.sin(2 * np.pi * 200 * time)).astype("<i2").tobytes()


def silence(seconds: float, rate: int = RATE) -> bytes:
    return bytes(2 * round(seconds * rate))


def pieces(audio: bytes, rate: int = RATE, ms: int = 100, sample: int = 2) -> Iterator[bytes]:
    """`audio` in pieces of so many ms."""
    size = rate * ms // 1000 * sample
    for start in range(0, len(audio), size):
        yield audio[start : start + size]
