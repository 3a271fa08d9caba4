"""Weather: what a network does to a connection on its way, from a seed.

TCP loses nothing for good: a lost piece is sent again, and all that came behind it waits for it. So
loss is heard as a stall and a burst.
"""

from __future__ import annotations

from random import Random

from rapida_tw.sim.datagrams import Storm

RESENT_AFTER = 0.2  # seconds: Linux's shortest retransmission timeout (TCP_RTO_MIN)


class Weather:
    """The delay of each piece in seconds, for `Network(clock, weather)`.

    `latency` and up to `jitter` more for each; `loss` is the share of pieces that are lost, each
    time anew, until they get through.
    """

    def __init__(
        self, seed: int, *, latency: float = 0.02, jitter: float = 0.0, loss: float = 0.0
    ) -> None:
        self._seed = seed
        self._chance = Random(seed)
        self._latency = latency
        self._jitter = jitter
        self._loss = loss

    def storm(self) -> Storm:
        """The same for datagrams, of which a lost one is lost."""
        return Storm(self._seed, latency=self._latency, jitter=self._jitter, loss=self._loss)

    def __call__(self) -> float:
        delay = self._latency + self._jitter * self._chance.random()
        wait = RESENT_AFTER
        while self._loss and self._chance.random() < self._loss:
            delay += wait
            wait *= 2  # RFC 6298, section 5.5
        return delay
