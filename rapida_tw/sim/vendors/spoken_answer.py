"""SpokenAnswer: a text, spoken as the plain body of an HTTP answer, piece by piece."""

from __future__ import annotations

from collections.abc import Callable

from rapida_tw.sim.vendors.base import Reply
from rapida_tw.sim.vendors.delivery import Delivery, Manners, Teller
from rapida_tw.sim.vendors.speaking import Piece, Spoken


class SpokenAnswer:
    """`kind`: the Content-Type. `fail`: answers with the vendor's own error instead."""

    def __init__(
        self,
        reply: Reply,
        spoken: Spoken,
        manners: Manners,
        kind: str,
        fail: Callable[[], None],
        headers: dict[str, str] | None = None,
    ) -> None:
        self._reply = reply
        self._fail = fail
        self._headers = {"Content-Type": kind, **(headers or {})}
        self._begun = False
        self._delivery = Delivery(reply.clock, spoken, manners, self)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._reply.head(200, self._headers)

    def sound(self, piece: Piece) -> None:
        if self._reply.gone:
            self._delivery.end()
            return
        self._begin()
        self._reply.write(piece.payload)

    def done(self) -> None:
        self._begin()
        self._reply.end()

    def stopped(self) -> None:
        """Only by closing, which is seen when the next piece is due."""

    def garbage(self) -> None:
        self._reply.whole(200, b"OggS\0\2" + bytes(100))

    def error(self) -> None:
        self._fail()

    def drop(self) -> None:
        self._reply.drop()


_conforms: type[Teller] = SpokenAnswer
