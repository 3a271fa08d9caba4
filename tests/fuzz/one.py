"""One target in this process: what `python -m tests.fuzz` starts."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rapida_tw.wire", "rapida_tw.sip"]):
    from tests.fuzz.targets import SEEDS, TARGETS

LONGEST = 4_096  # bytes of an input


def main(name: str, seconds: str) -> None:
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS[name]()):
            Path(corpus, f"{number:03d}").write_bytes(seed)
        limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=10"]
        atheris.Setup([sys.argv[0], *limits, "-print_final_stats=1", corpus], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
