"""The same over real sockets: our client, and the fake on a port of its own."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import TestCase

from rapida_tw.ari.telephone import AriTelephone
from rapida_tw.carriers.outbound import Outcome
from rapida_tw.net.service import RealNet
from rapida_tw.sim.ari import FakeAri, ari_site
from rapida_tw.sim.ari_channels import Person
from tests.ari.case import NUMBER, User, account, order

reactor: Any = the_reactor


class _Waiting(User):
    def __init__(self) -> None:
        super().__init__()
        self.over: Deferred[Outcome] = Deferred()

    def failed(self, outcome: Outcome) -> None:
        super().failed(outcome)
        self.over.callback(outcome)


class Loopback(TestCase):
    def test_busy(self) -> Deferred[None]:
        """A call goes out, its events come in, and its end is known."""
        return ensureDeferred(self._busy())

    async def _busy(self) -> None:
        asterisk = FakeAri(reactor)
        asterisk.channels.people[NUMBER] = Person(rings=0.01, answers=0.02, cause=17)
        port = reactor.listenTCP(0, ari_site(asterisk, reactor), interface="127.0.0.1")
        net = RealNet(reactor)
        telephone = AriTelephone(net, reactor)
        user = _Waiting()
        try:
            url = f"http://127.0.0.1:{port.getHost().port}/ari/"
            said = await telephone.check(account(ari_url=url))
            self.assertIn("may place calls", said)
            telephone.dial(order(account=account(ari_url=url)), user)
            outcome = await user.over.addTimeout(10, reactor)
            self.assertEqual(outcome.status, "busy")
            self.assertEqual(user.told, ["accepted", "ringing", "busy"])
        finally:
            await telephone.stop()
            await net.stop()
            await port.stopListening()
