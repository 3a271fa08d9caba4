"""Stories of carriers that sign: no key is in any address, and a call comes of it all the same."""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from collections.abc import Callable, Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rapida_tw.sim.caller import Caller
from rapida_tw.sim.carrier import FakeCarrier
from rapida_tw.sim.phone import CallFailed
from rapida_tw.sim.plivo import PlivoCall, PlivoNumber
from rapida_tw.sim.telnyx import TelnyxCall, TelnyxNumber
from rapida_tw.sim.twilio import TwilioCall, TwilioNumber
from rapida_tw.sim.vonage import Application, VonageCall
from rapida_tw.simulation import VirtualServer, done
from rapida_tw.simulation.web import VirtualWeb
from rapida_tw.store.records import Deployment

GREETING = "Hello."
TOKEN = "0123456789abcdef0123456789abcdef"
FORGED = TOKEN[::-1]
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = b64encode(KEY.public_key().public_bytes_raw()).decode()

# Who signs how: what the vault holds, and a call of that secret's.
Sign = Callable[[str, str, str], FakeCarrier]


def _telnyx(url: str, status_url: str, secret: str) -> FakeCarrier:
    signing_key = bytes(range(32)) if secret == TOKEN else bytes(32)
    return TelnyxCall(TelnyxNumber(url, signing_key=signing_key, status_url=status_url))


SIGNING: Mapping[str, tuple[Mapping[str, str], Sign]] = {
    "twilio": (
        {"account_sid": f"AC{'0' * 31}1", "account_token": TOKEN},
        lambda url, status, token: TwilioCall(
            TwilioNumber(url, auth_token=token, status_url=status)
        ),
    ),
    "vonage": (
        {"signature_secret": TOKEN},
        lambda url, status, secret: VonageCall(
            Application(url, "POST", event_url=status, signature_secret=secret)
        ),
    ),
    "plivo": (
        {"auth_id": "MA", "auth_token": TOKEN},
        lambda url, status, token: PlivoCall(PlivoNumber(url, auth_token=token, hangup_url=status)),
    ),
    "telnyx": ({"public_key": PUBLIC_KEY}, _telnyx),
}


class Signed:
    """A server whose assistant is on the phone with a credential of that carrier."""

    def __init__(self, carrier: str) -> None:
        value, self._call = SIGNING[carrier]
        self.server = VirtualServer({}, {"greeting": GREETING})
        self.web = VirtualWeb(self.server)
        self._carrier = carrier
        project_id, assistant_id = self.server.project_id, self.server.assistant_id
        credential = done(self.web.credentials.create(project_id, "signs", carrier, value))
        options = {"authorization": "vonage"} if carrier == "vonage" else {}
        deployment = Deployment(
            assistant_id, carrier, credential.id, greeting=GREETING, options=options
        )
        done(self.server.assistants.deploy(deployment))
        self.address = self.web.callee.webhook(carrier).partition("?")[0]
        self.caller = Caller()
        self.statuses: list[int] = []

    def call(self, secret: str) -> None:
        """A call signed with that secret, hung up after two seconds; its error is raised."""
        status_url = self.address.replace("/call/", "/event/")
        one = self._call(self.address, status_url, secret)
        self.caller.hangs_up(at=2.0)
        calling = self.web.call(one, self.caller, deque())
        self.server.clock.run(0.0)
        self.web.report(one, done(calling)).addCallback(self.statuses.extend)
        self.server.clock.run(5.0)


@pytest.mark.parametrize("carrier", SIGNING)
def test_signed(carrier: str) -> None:
    """Webhook, socket and callbacks are known by their signatures."""
    sim = Signed(carrier)
    sim.call(TOKEN)
    (sound,) = sim.caller.heard
    assert sound.lasting > 0.3
    assert sim.statuses
    assert max(sim.statuses) < 300
    names = [entry.name for entry in sim.server.entries(sim.server.latest())]
    assert "status.completed" in names
    assert sim.web.leftovers() == []


@pytest.mark.parametrize("carrier", SIGNING)
def test_forged(carrier: str) -> None:
    """Who signs with another secret makes no call, and is told nothing of the assistant."""
    sim = Signed(carrier)
    with pytest.raises(CallFailed) as raised:
        sim.call(FORGED)
    assert GREETING not in str(raised.value)
    assert sim.server.latest() == 0
    sim.server.clock.run(1.0)
    assert sim.web.leftovers() == []
