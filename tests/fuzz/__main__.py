"""`python -m tests.fuzz [TARGET...] [--seconds N]`: fuzz each target for so long, by atheris.

A finding is printed with its input, which is kept in a file `crash-...`, and ends it with status 1.
"""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser

from tests.fuzz.targets import TARGETS


def main() -> int:
    parser = ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", nargs="*", choices=[*TARGETS, []], metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    for name in arguments.target or TARGETS:
        print(f"-- {name}", flush=True)
        # A process each: libFuzzer ends the one it runs in.
        command = [sys.executable, "-m", "tests.fuzz.one", name, str(arguments.seconds)]
        if subprocess.run(command, check=False).returncode:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
