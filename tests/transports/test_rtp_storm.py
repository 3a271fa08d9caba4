"""A call through bad networks: what is heard keeps the time, and each side keeps its stream."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from rapida_tw.sim.datagrams import Storm
from tests.transports.rtp_case import OURS, RtpCase


class StormTests(RtpCase):
    def through(self, seconds: float = 40.0, drift: float = 0.0, **storm: Any) -> None:
        """Both talk for so long; the phone's clock is off by `drift`."""
        self.up()
        self.talk(5)
        self.network.storm = Storm(3, **storm)
        begin = self.clock.seconds()
        self.listener.heard.clear()
        sent = 0
        while (passed := self.clock.seconds() - begin) < seconds:
            while sent * 0.02 <= passed * (1 + drift):
                number = sent.to_bytes(4, "big")
                self.phone.rtp.send(self.phone.packet(number * 40), (OURS, self.stream.port))
                sent += 1
            self.run_for(0.005)
        self.network.storm = None
        self.run_for(1.0)
        self.sent = sent

    def time_line(self) -> float:
        """Seconds that were heard, lost or silent."""
        heard = sum(len(one) for one in self.listener.heard) / 8000
        return heard + sum(self.listener.all("lost")) + sum(self.listener.all("paused"))

    def numbers(self) -> list[int]:
        return [int.from_bytes(one[:4], "big") for one in self.listener.heard]

    def check(self, least: float) -> None:
        """In order, in time, and at least such a share of it."""
        numbers = self.numbers()
        self.assertTrue(all(a < b for a, b in pairwise(numbers)))
        self.assertGreater(len(numbers) / self.sent, least)
        self.assertLess(abs(self.time_line() - self.sent * 0.02), 0.3)
        self.assertEqual(self.listener.all("end"), [])
        ours = self.phone.packets
        self.assertEqual(len({one.ssrc for one in ours}), 1)

    def test_loss(self) -> None:
        """A fifth is lost, each by itself and in bursts."""
        for burst in (None, 4.0):
            with self.subTest(burst=burst):
                self.through(loss=0.2, burst=burst)
                self.check(0.75)
                lost = float(self.measure("media.packets_lost")[1]["percent"])  # type: ignore[arg-type]
                self.assertTrue(15 < lost < 25, lost)
                self.renew()

    def test_jitter(self) -> None:
        """Up to 200 ms loses nothing as long as the order is kept."""
        self.through(jitter=0.2)
        self.check(0.995)
        self.assertEqual(self.listener.all("lost"), [])

    def test_reorder_and_duplicates(self) -> None:
        """Those that come late by 30 ms are waited for, copies are not heard."""
        self.through(reorder=0.1, duplicates=0.1)
        self.check(0.9)
        more = self.measure("media.packets_lost")[1]
        self.assertGreater(int(str(more["duplicates"])), 100)

    def test_all(self) -> None:
        """Everything at once."""
        self.through(loss=0.05, jitter=0.1, reorder=0.05, duplicates=0.02)
        self.check(0.8)

    def test_drift(self) -> None:
        """A clock that is off by 500 ppm neither loses nor makes up audio."""
        for drift in (500e-6, -500e-6):
            with self.subTest(drift=drift):
                self.through(60.0, drift)
                self.assertEqual(self.listener.told, [])
                self.assertEqual(self.numbers(), list(range(self.sent)))
                self.renew()
