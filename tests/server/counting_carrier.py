"""`rapida sim carrier`, with a record of whom it was asked to call, and how often."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.process import ended, started
from tests.server.installation import Installation, script, until

_CALL = re.compile(r"^(\S+) to (\S+): ", re.MULTILINE)


class CountingCarrier:
    """`fields`: its credential."""

    def __init__(self, printed: Path) -> None:
        self._printed = printed
        told = printed.read_text()
        self.fields: dict[str, str] = json.loads(told[told.index("{") :])

    def called(self) -> Counter[str]:
        """How many calls to each number."""
        return Counter(number for _, number in set(_CALL.findall(self._printed.read_text())))


@contextmanager
def counting_carrier(installation: Installation, *options: str) -> Iterator[CountingCarrier]:
    """A Twilio that runs."""
    printed = installation.folder / "carrier.out"
    told = (script("rapida"), "sim", "carrier", "--carrier", "twilio", *options)
    where = ("--config", str(installation.configuration))
    process = started((*told, *where), printed, env=installation.environ())
    try:
        until(lambda: printed.read_text().endswith("}\n"), 20.0, printed.read_text)
        yield CountingCarrier(printed)
    finally:
        ended(process)
