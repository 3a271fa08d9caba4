"""Whether a credential is good, asked of Asterisk."""

from __future__ import annotations

from rapida_tw.carriers.outbound import CarrierRefused
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from tests.ari.case import AriCase, account


class Check(AriCase):
    def refused(self, **fields: str) -> str:
        checking = self.telephone.check(account(**fields))
        self.run_for(1)
        return str(self.failure(checking, CarrierRefused))

    def test_good(self) -> None:
        """Who answers, as whom, and nothing is changed."""
        checking = self.telephone.check(account())
        self.run_for(1)
        said = self.successResultOf(checking)
        self.assertIn("00:11:22:33:44:55 at asterisk.test:8088: user rapida may place", said)

    def test_wrong_password(self) -> None:
        """The sentence has Asterisk's words, and no password."""
        said = self.refused(ari_password="wrong-password")
        self.assertIn("Authentication required", said)
        self.assertNotIn("wrong-password", said)

    def test_read_only(self) -> None:
        """A user that may only look cannot place calls."""
        self.asterisk.read_only = True
        self.assertIn("read_only", self.refused())

    def test_no_ari(self) -> None:
        """Something else listens there."""
        self.assertIn("not as ARI", self.refused(ari_url="http://asterisk.test:8088/pbx"))

    def test_module_not_loaded(self) -> None:
        """Without res_ari_asterisk there is no ping; calls need it not."""
        self.asterisk.refusals = {("GET", "/ping"): (404, {"message": "Resource not found"})}
        checking = self.telephone.check(account())
        self.run_for(1)
        self.assertIn("user rapida may place calls", self.successResultOf(checking))

    def test_not_there(self) -> None:
        """Nobody listens."""
        self.net.down.add("asterisk.test")
        checking = self.telephone.check(account())
        self.run_for(1)
        self.failure(checking, VendorFailed)

    def test_lacking(self) -> None:
        """What is missing is named."""
        checking = self.telephone.check(account(ari_user=""))
        self.assertIn("ari_user", str(self.failure(checking, MisconfiguredAssistant)))
