"""The picture of a call: both sides' waveforms over time, who said what, and how long it took.

Rows of time, each with the caller above and the assistant below; every turn is a shaded band with
its words; an arrow leads from the end of the caller's turn to the first sound of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from math import ceil
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from rapida_tw.store.records import Conversation
from rapida_tw.turns import ASSISTANT, CALLER, Gap, Turn, find_gaps, find_turns
from rapida_tw.waveform import Waveform, read_waveform

_NAMES = ("Caller", "Assistant")

_SCALE = 2  # drawn so much larger and then shrunk: smooth edges
_WIDTH, _MARGIN, _NAME = 1600, 24, 84  # pixels
_HEADER, _FOOT = 76, 20
_TEXT, _WAVE, _BETWEEN, _AXIS = 52, 64, 30, 34  # heights within a row
_LANE = _TEXT + _WAVE
_ROW = 2 * _LANE + _BETWEEN + _AXIS
_LINES = 3  # of a turn's words
_NARROW = 48  # a turn with less room for its words goes without
_LINE = 16
_ROW_SECONDS = (2, 5, 10, 20, 30, 40, 60, 90, 120, 150, 300, 600, 1200, 3600)
_ONE_ROW = 40.0  # seconds; longer calls have several rows
_MOST_ROWS = 24

_COLOURS = 128
_PAPER, _INK, _FAINT, _GRID = "#ffffff", "#1f2933", "#7b8794", "#e4e7eb"
_WAVES = ("#2563c9", "#0d8a6a")
_BANDS = ("#e8f0fc", "#e3f5ee")
_EDGES = ("#9dbdf0", "#93d3bd")
_GOOD, _FAIR, _SLOW = "#0d8a6a", "#b7791f", "#c53030"
_FAIR_FROM, _SLOW_FROM = 0.8, 1.5  # seconds

_QUIETEST = 2_000  # a peak that fills the lane; what is below is drawn as quiet as it is
_ROOT = 0.6


def render(wav: Path, conversation: Conversation) -> bytes:
    """A PNG of the recording with the conversation's messages.

    Where each message stands is found by `find_turns`. Lets `OSError` and `ValueError` of an
    unreadable recording through.
    """
    waveform = read_waveform(wav)
    turns = find_turns(waveform, conversation)
    gaps = find_gaps(turns)
    seconds = row_seconds(waveform.duration)
    rows = max(1, ceil(waveform.duration / seconds - 0.001))
    picture = Image.new("RGB", (_WIDTH, _HEADER + rows * _ROW + _FOOT), _PAPER)
    picture.paste(_header(waveform, conversation, gaps), (0, 0))
    for row in range(rows):
        drawn = _Row(waveform, row * seconds, seconds).draw(turns, gaps)
        picture.paste(drawn, (0, _HEADER + row * _ROW))
    out = BytesIO()
    # A few dozen colours are all there are: a palette makes the file a quarter as large.
    picture.quantize(_COLOURS, Image.Quantize.FASTOCTREE).save(out, "PNG")
    return out.getvalue()


def row_seconds(duration: float) -> float:
    """How much time one row shows: whole calls of up to 40 s, long ones in at most 24 rows."""
    wanted = duration if duration <= _ONE_ROW else max(_ONE_ROW, duration / _MOST_ROWS)
    return float(next((size for size in _ROW_SECONDS if size >= wanted), ceil(wanted)))


class _Pen:
    """Draws on an image of `_SCALE` times the size, in the coordinates of the final one."""

    def __init__(self, height: int) -> None:
        self._image = Image.new("RGB", (_WIDTH * _SCALE, height * _SCALE), _PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._size = (_WIDTH, height)

    def done(self) -> Image.Image:
        return self._image.resize(self._size, Image.Resampling.LANCZOS)

    def line(self, x1: float, y1: float, x2: float, y2: float, ink: str, width: float = 1) -> None:
        points = [x1 * _SCALE, y1 * _SCALE, x2 * _SCALE, y2 * _SCALE]
        self._draw.line(points, ink, max(1, round(width * _SCALE)))

    def box(self, x1: float, y1: float, x2: float, y2: float, fill: str, edge: str) -> None:
        box = [x1 * _SCALE, y1 * _SCALE, max(x2, x1 + 2) * _SCALE, y2 * _SCALE]
        self._draw.rounded_rectangle(box, 5 * _SCALE, fill, edge, _SCALE)

    def area(self, points: list[tuple[float, float]], ink: str) -> None:
        self._draw.polygon([(x * _SCALE, y * _SCALE) for x, y in points], ink)

    def text(
        self, x: float, y: float, text: str, size: int, ink: str = _INK, anchor: str = "la"
    ) -> None:
        self._draw.text((x * _SCALE, y * _SCALE), text, ink, _font(size), anchor)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size * _SCALE)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's wheels have FreeType
    return font


def _width(text: str, size: int) -> float:
    return _font(size).getlength(text) / _SCALE


def _header(waveform: Waveform, conversation: Conversation, gaps: Sequence[Gap]) -> Image.Image:
    pen = _Pen(_HEADER)
    title = f"Call {conversation.id}"
    if conversation.identifier:
        title += f"  ·  {conversation.identifier}"
    pen.text(_MARGIN, 16, title, 22)
    facts = [conversation.direction, f"{_clock(waveform.duration)} long"]
    if conversation.end_reason:
        facts.append(f"ended by {conversation.end_reason.replace('_', ' ')}")
    if gaps:
        waits = sorted(gap.seconds for gap in gaps)
        facts.append(f"answers after {waits[len(waits) // 2]:.2f} s (median of {len(waits)})")
    pen.text(_MARGIN, 46, "   ·   ".join(facts), 14, _FAINT)
    return pen.done()


class _Row:
    """One stretch of time across the picture."""

    def __init__(self, waveform: Waveform, start: float, seconds: float) -> None:
        self._waveform = waveform
        self._start, self._seconds = start, seconds
        self._left, self._right = _MARGIN + _NAME, _WIDTH - _MARGIN
        self._pen = _Pen(_ROW)

    def draw(self, turns: Sequence[Turn], gaps: Sequence[Gap]) -> Image.Image:
        self._axis()
        for track in (CALLER, ASSISTANT):
            own = [turn for turn in turns if turn.track == track and self._shows(turn)]
            for turn in own:
                self._band(turn)
            self._wave(track)
            limits = [*(self._x(turn.start) for turn in own[1:]), self._right]
            for turn, limit in zip(own, limits, strict=False):
                self._words(turn, limit)
        own_gaps = [gap for gap in gaps if self._start <= gap.start < self._start + self._seconds]
        nexts = [*(self._x(gap.start) for gap in own_gaps[1:]), self._right]
        for gap, limit in zip(own_gaps, nexts, strict=False):
            self._gap(gap, limit)
        return self._pen.done()

    def _shows(self, turn: Turn) -> bool:
        return turn.start < self._start + self._seconds and turn.end > self._start

    def _x(self, seconds: float) -> float:
        share = (seconds - self._start) / self._seconds
        return self._left + min(1.0, max(0.0, share)) * (self._right - self._left)

    @staticmethod
    def _top(track: int) -> float:
        return track * (_LANE + _BETWEEN)

    def _axis(self) -> None:
        bottom = 2 * _LANE + _BETWEEN
        step = next(step for step in _STEPS if self._seconds / step <= 12)
        for n in range(int(self._seconds / step) + 1):
            at = self._start + n * step
            x = self._x(at)
            self._pen.line(x, 0, x, bottom + 4, _GRID)
            self._pen.text(x, bottom + 7, _clock(at), 12, _FAINT, "ma")

    def _wave(self, track: int) -> None:
        count = int(self._right - self._left) * _SCALE
        low, high = self._waveform.columns(self._start, self._start + self._seconds, count)
        middle = self._top(track) + _TEXT + _WAVE / 2
        self._pen.text(_MARGIN, middle, _NAMES[track], 14, _WAVES[track], "lm")
        end = self._x(self._waveform.duration)
        self._pen.line(self._left, middle, end, middle, _WAVES[track], 0.5)
        # The root of the level: a quiet syllable is to be seen beside a loud one.
        scale = float(max(_QUIETEST, self._waveform.high[track].max(initial=0)))
        up = (high[track].clip(0) / scale).clip(max=1) ** _ROOT * (_WAVE / 2)
        down = (-low[track].clip(max=0).astype(int) / scale).clip(max=1) ** _ROOT * (_WAVE / 2)
        above = [(self._left + n / _SCALE, middle - y) for n, y in enumerate(up)]
        below = [(self._left + n / _SCALE, middle + y) for n, y in enumerate(down)]
        self._pen.area([*above, *reversed(below)], _WAVES[track])

    def _band(self, turn: Turn) -> None:
        top = self._top(turn.track)
        left, right = self._x(turn.start), self._x(turn.end)
        self._pen.box(left, top, right, top + _LANE, _BANDS[turn.track], _EDGES[turn.track])
        if turn.interrupted and turn.end <= self._start + self._seconds:
            self._pen.line(right, top, right, top + _LANE, _SLOW, 2)

    def _words(self, turn: Turn, limit: float) -> None:
        x = self._x(turn.start) + 6
        room = limit - x - 6
        lines = _wrap(turn.text, room, 13) if room >= _NARROW else []
        for n, line in enumerate(lines):
            self._pen.text(x, self._top(turn.track) + 4 + n * _LINE, line, 13)

    def _gap(self, gap: Gap, limit: float) -> None:
        ink = _GOOD if gap.seconds < _FAIR_FROM else _FAIR if gap.seconds < _SLOW_FROM else _SLOW
        y = _LANE + _BETWEEN / 2
        left, right = self._x(gap.start), self._x(gap.end)
        self._pen.line(left, _LANE, left, y, ink)
        self._pen.line(left, y, right, y, ink, 1.5)
        self._pen.line(right, y, right, _LANE + _BETWEEN, ink)
        tip = _LANE + _BETWEEN
        self._pen.area([(right - 4, tip - 6), (right + 4, tip - 6), (right, tip)], ink)
        label = f"{1000 * gap.seconds:.0f} ms"
        if right + 8 + _width(label, 13) < limit:
            self._pen.text(right + 8, y, label, 13, ink, "lm")
        elif limit == self._right:
            self._pen.text(left - 8, y, label, 13, ink, "rm")


_STEPS = (0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)  # seconds between the marks of an axis


def _clock(seconds: float) -> str:
    if seconds != int(seconds) and seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _wrap(text: str, width: float, size: int) -> list[str]:
    """At most three lines that fit; what is left out is an ellipsis."""
    lines = list(_lines(text.split(), width, size))
    if len(lines) <= _LINES and all(_width(line, size) <= width for line in lines):
        return lines
    kept = lines[: _LINES - 1]
    kept.append(_shorten(" ".join(lines[_LINES - 1 : _LINES + 1]), width, size))
    return [line for line in (_shorten(line, width, size, "") for line in kept) if line]


def _lines(words: Sequence[str], width: float, size: int) -> Iterator[str]:
    line = ""
    for word in words:
        longer = f"{line} {word}".strip()
        if line and _width(longer, size) > width:
            yield line
            longer = word
        line = longer
    if line:
        yield line


def _shorten(text: str, width: float, size: int, end: str = "…") -> str:
    if _width(text + end, size) <= width:
        return text + end
    while text and _width(text + "…", size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…" if text else ""
