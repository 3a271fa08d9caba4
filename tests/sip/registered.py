"""A user agent that has registered with a trunk, which the test plays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed

from rapida_tw.sip.base import Party
from rapida_tw.wire.sip_message import Request, Response
from tests.sip.house import ASSISTANT, OFFER, PROJECT
from tests.sip.upstream import TRUNK, Upstream


class Registered(Upstream):
    """With one trunk that registers, under the credential 9 of the project 7."""

    def __init__(self, **fields: str) -> None:
        super().__init__()
        self.owner: Party | None = Party(ASSISTANT, PROJECT)
        self.house.trunk = lambda number: succeed(self.owner if number == 9 else None)  # type: ignore[method-assign]
        self.registrations = self.agent.registrations
        self.registrations.set({9: self.trunk(register="true", **fields)})
        self.clock.advance(0)

    @property
    def asked(self) -> Sequence[Request]:
        return self.sent("REGISTER")

    @property
    def last(self) -> Request:
        return self.asked[-1]

    @property
    def token(self) -> str:
        contact = self.last.contact
        assert contact is not None
        return contact.uri.user

    @property
    def state(self) -> str:
        return self.registrations.state(9)

    def grant(self, expires: str = "3600", **more: Any) -> None:
        """200, as registrars write it."""
        contact = ("Contact", f"{self.last.headers.get('Contact')};expires={expires}")
        other = ("Contact", "<sip:other@192.0.2.9>;expires=7")
        self.reply(self.last, 200, (contact, other), **more)

    def stop(self) -> Deferred[None]:
        return self.registrations.stop()

    def calls(
        self,
        user: str = "",
        peer: tuple[str, int] = TRUNK,
        to: str = "15557654321",
        headers: str = "",
    ) -> Response:
        """An INVITE of the trunk's to our Contact, or to `user`; the last answer to it."""
        data = (
            f"INVITE sip:{user or self.token}@203.0.113.10:5090 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {peer[0]}:5060;rport;branch=z9hG4bK{len(self.ways.sent)}\r\n"
            "From: <sip:+15550001111@acme.example>;tag=1\r\n"
            f"To: <sip:{to}@acme.example>\r\nCall-ID: in-{len(self.ways.sent)}\r\n"
            f"CSeq: 1 INVITE\r\nContact: <sip:gw@{peer[0]}>\r\n{headers}"
            f"Content-Type: application/sdp\r\nContent-Length: {len(OFFER)}\r\n\r\n"
        )
        self.agent.received(data.encode() + OFFER, self.ways.way(*peer))
        message = self.ways.sent[-1][1]
        assert isinstance(message, Response)
        return message

    def nothing_left(self) -> None:
        self.stop()
        super().nothing_left()
