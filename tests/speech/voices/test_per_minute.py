"""Vendors that take so many phrases a minute on one socket."""

from __future__ import annotations

from tests.speech.voices.test_line import LineCase


class PerMinuteTests(LineCase):
    def setUp(self) -> None:
        super().setUp()
        self.wire.contexts = 1
        self.wire.per_minute = 2

    def said(self, count: int) -> list[int]:
        """So many phrases in a row: how many each socket has been asked for in all."""
        for _ in range(count):
            said = self.say()
            asked = next(one for one in self.net.sockets if one.open and "say" in one.sent[-1])
            name = asked.sent[-1].split()[1]
            asked.say(f"all {name}")
            self.successResultOf(said)
            asked.sent.append("said")
        return [sum(line.startswith("say ") for line in one.sent) for one in self.net.sockets]

    def test_next_socket(self) -> None:
        """One more is said on a second socket, and nobody waits."""
        self.start()
        self.assertEqual(self.said(2), [2])
        self.assertEqual(self.said(2), [2, 2])

    def test_both(self) -> None:
        """Where both are at their limit, the older one makes room for another."""
        self.start()
        self.assertEqual(self.said(5), [2, 2, 1])
        self.assertEqual([socket.open for socket in self.net.sockets], [False, True, True])

    def test_a_minute_later(self) -> None:
        """The first socket takes phrases again."""
        self.start()
        self.said(3)
        self.clock.advance(59)
        self.assertEqual(self.said(1), [2, 2])
        self.clock.advance(1)
        self.assertEqual(self.said(1), [3, 2])
