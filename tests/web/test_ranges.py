"""Range requests (RFC 9110, section 14)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.web.ranges import Part, Unsatisfiable, read_range


class RangeTests(SynchronousTestCase):
    def test_satisfiable(self) -> None:
        """The RFC's own forms, on a file of 1000 bytes."""
        for header, start, end in (
            ("bytes=0-499", 0, 500),
            ("bytes=500-", 500, 1000),
            ("bytes=-100", 900, 1000),
            ("bytes=0-0", 0, 1),
            ("bytes=999-5000", 999, 1000),
            ("bytes=-5000", 0, 1000),
            (" bytes=0- ", 0, 1000),
        ):
            self.assertEqual(read_range(header, 1000), Part(start, end, 1000), header)

    def test_ignored(self) -> None:
        """Nonsense, other units and several ranges: the whole file."""
        for header in (
            *("", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=2-1", "bytes=-1-2"),
            *("items=0-1", "bytes=0-1,5-6", "bytes=1", f"bytes={'9' * 99}-"),
        ):
            self.assertIsNone(read_range(header, 1000), header)

    def test_unsatisfiable(self) -> None:
        """Behind the end there is nothing."""
        for header in ("bytes=1000-", "bytes=5000-6000", "bytes=-0"):
            self.assertRaises(Unsatisfiable, read_range, header, 1000)

    def test_header(self) -> None:
        """The last byte is named, not the one behind it."""
        self.assertEqual(Part(0, 500, 1000).content_range, "bytes 0-499/1000")

    @given(st.text() | st.from_regex(r"\Abytes=\d{0,4}-\d{0,4}\Z"), st.integers(0, 2000))
    def test_inside(self, header: str, size: int) -> None:
        """Whatever is asked, a part has bytes and lies in the file."""
        try:
            part = read_range(header, size)
        except Unsatisfiable:
            return
        if part is not None:
            self.assertTrue(0 <= part.start < part.end <= size)
