"""Carriers that sign, and strangers who do not, at the webhook and at the media socket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rapida_tw.sim.caller import Caller
from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.http import HttpAnswer, HttpRequest
from rapida_tw.sim.phone import Ending
from rapida_tw.sim.twilio import TwilioCall, TwilioNumber, signature
from rapida_tw.sim.websocket_line import WebSocketLine
from tests.server.installation import Installation
from tests.server.process import ServerProcess
from tests.server.town import GREETING, Town, outcome

TOKEN, WRONG = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


class Upgrade:
    """Phase 2 of a Twilio call whose document is known already; signed with `token`."""

    def __init__(self, media: Media, token: str) -> None:
        self._media = replace(
            media, headers=[("X-Twilio-Signature", signature(token, media.url))] if token else []
        )

    def webhook(self, now: float) -> HttpRequest:
        return HttpRequest("GET", self._media.url.replace("ws", "http", 1).partition("/v1")[0])

    def invited(self, answer: HttpAnswer, now: float) -> Media:
        return self._media

    def started(self, now: float) -> Sequence[HttpRequest]:
        return ()

    def ended(self, ending: Ending, now: float) -> Sequence[HttpRequest]:
        return ()


class Office:
    """A server whose assistant has a Twilio account, and its town."""

    def __init__(self, installation: Installation, town: Town, **deployment: Any) -> None:
        installation.deploy(provider="twilio", greeting=GREETING, **deployment)
        self.town = town
        self._url = town.callee().url
        self._assistant = installation.assistant()

    def number(self, token: str) -> TwilioCall:
        """A call by Twilio, which has no API key and signs with that."""
        url = f"{self._url}/v1/talk/twilio/call/{self._assistant}"
        return TwilioCall(TwilioNumber(url, auth_token=token, tls=False))

    def media(self) -> Media:
        """Where a call that was announced well sends its media."""
        return self.town.announce(self.number(TOKEN))

    def heard(self, carrier: FakeCarrier) -> None:
        """That call hears the greeting."""
        caller = Caller()
        calling = self.town.call(carrier, caller)
        self.town.talk(lambda: caller.heard, what=lambda: calling)
        line: Any = outcome(calling)
        line.hang_up()

    def refused(self, carrier: FakeCarrier) -> str:
        """Why that call was not taken."""
        calling: Deferred[WebSocketLine] = self.town.call(carrier, Caller())
        failure = self.town.talk(lambda: outcome(calling))
        assert isinstance(failure, Failure), failure
        return failure.getErrorMessage()


@pytest.mark.parametrize("how", ["command", "api"])
def test_signatures(tmp_path: Path, how: str) -> None:
    """Who signs with the stored secret needs no key; who signs otherwise takes nothing away."""
    installation = Installation(tmp_path)
    with ServerProcess(installation) as server, Town(installation) as town:
        office = Office(installation, town, credentialId=stored(installation, how))

        office.heard(office.number(TOKEN))
        for token in (WRONG, ""):
            why = office.refused(office.number(token))
            assert "403" in why or "401" in why, why

        media = office.media()
        assert "403" in office.refused(Upgrade(media, WRONG))
        office.heard(Upgrade(media, TOKEN))
        assert "404" in office.refused(Upgrade(media, TOKEN))

        office.heard(Upgrade(office.media(), ""))  # its context is as good as a key
        town.talk(lambda: not installation.data_of("/v1/calls"))
        lines = installation.request("/metrics").body.decode().splitlines()
        assert 'rapida_calls_total{carrier="twilio"} 3' in lines
        server.terminate()
        assert server.status() == 0
        assert TOKEN not in server.printed()


def stored(installation: Installation, how: str) -> str:
    """The id of a Twilio credential in the vault."""
    value = {"account_sid": "AC" + 32 * "0", "account_token": TOKEN}
    if how == "api":
        document = {"name": "ours", "provider": "twilio", "value": value}
        made = installation.data_of("/v1/credentials", "POST", document)
    else:
        pairs = [text for pair in value.items() for text in ("--set", "=".join(pair))]
        about = ("--name", "ours", "--provider", "twilio")
        made = installation.rapida("credential", "create", *about, *pairs)
    return str(made["id"])
