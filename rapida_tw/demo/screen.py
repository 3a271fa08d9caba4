"""Screen: the demo's dialogue, live, as a person at the terminal reads it."""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.sim.caller import Happened
from rapida_tw.store.records import Conversation, Entry

PARTS = ("endpointing", "recognizer", "model", "voice", "playout")
_METRICS = ("call.duration", "call.talk_duration", "call.status", "call.disconnected_by")
_NAME = 10


class Screen:
    """Prints by `line`; times are seconds since the line came up, as the caller's clock has them.

    `seconds` reads that clock.
    """

    def __init__(self, line: Callable[[str], None], seconds: Callable[[], float]) -> None:
        self._line = line
        self._seconds = seconds
        self._connected = 0.0

    def connected(self) -> None:
        self._connected = self._seconds()
        self._line("")

    def happened(self, happened: Happened) -> None:
        """What the caller did and heard."""
        at, text = happened.at, happened.text
        if happened.what == "says":
            self._told(at, "caller", f"“{text}”")
        elif happened.what == "presses":
            self._told(at, "caller", f"presses {' '.join(text)}")
        elif happened.what == "hears" and text:
            self._told(at, "", f"… hears the answer begin {text}")
        elif happened.what == "hangs-up":
            self._told(at, "caller", "hangs up")

    def remembered(self, entry: Entry) -> None:
        """What the server wrote into its journal."""
        now = self._seconds() - self._connected
        if entry.kind == "message" and entry.name == "user":
            how = "" if entry.data.get("by") == "keys" else f" ({_confidence(entry)})"
            self._told(now, "", f"→ understood: {entry.value}{how}")
        elif entry.kind == "message":
            cut = " –– (interrupted)" if entry.data.get("interrupted") else ""
            self._told(now, "assistant", f"{entry.value}{cut}")
        elif entry.name == "turn.latency":
            self._told(now, "", f"  answered after {split(entry)}")
        elif entry.name in ("call.ended", "call.failed"):
            detail = entry.data.get("detail")
            reason = f"{entry.data.get('reason')}{f': {detail}' if detail else ''}"
            self._told(now, "", f"the call is over ({reason})")

    def _told(self, at: float, who: str, what: str) -> None:
        self._line(f"{at:6.1f} s  {who:<{_NAME}} {what}")


def split(latency: Entry) -> str:
    """`812 ms = endpointing 520 + ...`: from the caller's last sound to the answer's first."""
    shares = " + ".join(
        f"{part} {1000 * latency.data[part]:.0f}" for part in PARTS if part in latency.data
    )
    return f"{latency.value} ms = {shares}"


def summary(conversation: Conversation) -> list[str]:
    """The call's metrics and each turn's latency, as lines."""
    values = {entry.name: entry.value for entry in conversation.entries if entry.kind == "metric"}
    lines = [f"  {name:<22} {values[name]}" for name in _METRICS if name in values]
    latencies = [entry for entry in conversation.entries if entry.name == "turn.latency"]
    if latencies:
        head = "".join(f"{name:>13}" for name in ("total", *PARTS))
        lines += ["", f"  latency in ms{head}"]
        lines += [f"  turn {entry.data['turn']:<8}{_row(entry)}" for entry in latencies]
    return lines


def _row(latency: Entry) -> str:
    cells = [latency.data.get(name) for name in ("total", *PARTS)]
    return "".join(f"{'-' if cell is None else f'{1000 * cell:.0f}':>13}" for cell in cells)


def _confidence(entry: Entry) -> str:
    return f"confidence {entry.data.get('confidence', 0):.2f}"
