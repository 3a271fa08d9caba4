"""What a SIP phone answers: requests within its call, and a call of the server's to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from rapida_tw.sim import sip_sdp, sip_text
from rapida_tw.sim.datagrams import HostPort
from rapida_tw.sim.phone import Ending, Reason
from rapida_tw.sim.sip_asking import GIVES_UP, T1, T2
from rapida_tw.sim.sip_rules import invite_complaints, request_complaints
from rapida_tw.sim.sip_text import SipText, tag

if TYPE_CHECKING:
    from rapida_tw.sim.sip_phone import SipPhone

_PHRASES = {100: "Trying", 180: "Ringing", 200: "OK", 202: "Accepted", 415: "Unsupported"}
_INFO = ("application/dtmf-relay", "application/dtmf")


class _Repeated:
    """A 2xx to an INVITE, sent again until its ACK is there (13.3.1.4)."""

    def __init__(self, phone: SipPhone, data: bytes, source: HostPort) -> None:
        self._phone = phone
        self._data = data
        self._source = source
        self._wait = T1
        self._until = phone.clock.seconds() + GIVES_UP
        self._timer: IDelayedCall | None = None
        self._go()

    def _go(self) -> None:
        self._timer = None
        phone = self._phone
        if phone.clock.seconds() >= self._until:
            phone.complain("our 200 was never acknowledged")
            phone.hang_up()
            return
        phone.signalling.send(self._data, self._source)
        self._timer = phone.clock.callLater(self._wait, self._go)
        self._wait = min(2 * self._wait, T2)

    def stop(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


class Desk:
    """Of one phone. `pressed`: digits that came by INFO; `referred`: where we are sent."""

    def __init__(self, phone: SipPhone) -> None:
        self._phone = phone
        self._answers: dict[tuple[str, str], bytes] = {}  # by branch and method
        self._unacknowledged: dict[int, _Repeated] = {}  # by CSeq
        self._late: set[int] = set()  # of these the ACK has the answer
        self._ringing: SipText | None = None  # their INVITE that calls us
        self.pressed = ""
        self.referred = ""

    def close(self) -> None:
        for repeated in self._unacknowledged.values():
            repeated.stop()
        self._unacknowledged.clear()

    def received(self, request: SipText, source: HostPort) -> None:
        """One request of theirs."""
        phone, dialog = self._phone, self._phone.dialog
        if request.method == "ACK":
            self._acknowledged(request)
            return
        if request.method == "CANCEL":
            self._cancelled(request, source)
            return
        before = self._answers.get((request.branch, request.method))
        if before is not None:
            if before:
                phone.signalling.send(before, source)
            return
        if request.method == "INVITE" and not tag(request.one("to")):
            self._called(request, source)
            return
        if tag(request.one("to")) != dialog.own_tag:
            self._respond(request, source, 481, "No such call")
            return
        for why in request_complaints(dialog, request):
            phone.complain(why)
        dialog.their_number = max(dialog.their_number, request.cseq)
        take = _REQUESTS.get(request.method)
        if take is None or request.method not in phone.signalling.methods:
            self._respond(request, source, 501, "Not Implemented")
        else:
            take(self, request, source)

    # -- within the call --------------------------------------------------------------------------

    def _bye(self, request: SipText, source: HostPort) -> None:
        self._respond(request, source, 200)
        self.close()
        self._phone.end(Ending(Reason.SERVER_HUNG_UP))
        self._phone.over()

    def _invite(self, request: SipText, source: HostPort) -> None:
        """A re-INVITE: answered, or our offer sent; not while ours is pending (14.2)."""
        phone = self._phone
        if phone.signalling.inviting:
            self._respond(request, source, 491, "Request Pending")
            return
        self._refresh_target(request)
        if request.body:
            body = phone.offers.answer(request.body)
            if not body:
                self._respond(request, source, 488, "Not Acceptable Here")
                return
        else:
            body = phone.offers.describe()
            self._late.add(request.cseq)
        self._accept(request, source, body)

    def _accept(self, request: SipText, source: HostPort, body: bytes) -> None:
        fields = [*self._timer(request), ("Content-Type", sip_sdp.TYPE)]
        data = self._response(request, source, 200, "", fields, body)
        self._answers[request.branch, request.method] = b""  # it is repeated by itself
        self._unacknowledged[request.cseq] = _Repeated(self._phone, data, source)

    def _acknowledged(self, ack: SipText) -> None:
        repeated = self._unacknowledged.pop(ack.cseq, None)
        if repeated is None:
            return  # a repeated one, or of our refusal
        repeated.stop()
        for why in request_complaints(self._phone.dialog, ack):
            self._phone.complain(why)
        if ack.cseq in self._late:
            self._late.discard(ack.cseq)
            self._phone.offers.agree(ack.body)
        if self._ringing is not None and self._ringing.cseq == ack.cseq:
            self._ringing = None
            self._phone.went_up()

    def _update(self, request: SipText, source: HostPort) -> None:
        self._refresh_target(request)
        if request.body and self._phone.signalling.inviting:
            self._respond(request, source, 491, "Request Pending")
            return
        body = self._phone.offers.answer(request.body) if request.body else b""
        fields = self._timer(request)
        if body:
            fields.append(("Content-Type", sip_sdp.TYPE))
        self._respond(request, source, 200, "", fields, body)

    def _info(self, request: SipText, source: HostPort) -> None:
        if request.body and request.one("content-type").lower() not in _INFO:
            self._respond(request, source, 415)
            return
        text = request.body.decode("ascii", "replace")
        signal = next((line[7:] for line in text.split("\r\n") if line.startswith("Signal=")), text)
        self.pressed += signal.strip()
        self._respond(request, source, 200)

    def _refer(self, request: SipText, source: HostPort) -> None:
        self.referred = request.one("refer-to")
        if not self._phone.manner.transfers:
            self._respond(request, source, 603, "Decline")
            return
        contact = ("Contact", f"<{self._phone.dialog.contact}>")
        self._respond(request, source, 202, "", [contact])
        outcome = f"SIP/2.0 {self._phone.manner.transfers} So\r\n".encode()
        self._notify(b"SIP/2.0 100 Trying\r\n", "active;expires=60")
        self._phone.later(
            self._phone.manner.rings,
            lambda: self._notify(outcome, "terminated;reason=noresource"),
        )

    def _notify(self, fragment: bytes, state: str) -> None:
        fields = [
            ("Event", "refer"),
            ("Subscription-State", state),
            ("Content-Type", "message/sipfrag"),
        ]
        self._phone.ask("NOTIFY", lambda response: None, fields, fragment)

    def _fine(self, request: SipText, source: HostPort) -> None:
        self._respond(request, source, 200)

    def _refresh_target(self, request: SipText) -> None:
        try:
            self._phone.dialog.target = sip_text.address(request.one("contact"))[0]
        except sip_text.BadText as error:
            self._phone.complain(str(error))

    def _timer(self, request: SipText) -> list[tuple[str, str]]:
        value = request.one("session-expires")
        if not value:
            return []
        if "refresher" not in sip_text.parameters(value):
            value += ";refresher=uac"
        self._phone.note_timer(value, own=False)
        return [("Session-Expires", value), ("Require", "timer")]

    # -- a call to us -----------------------------------------------------------------------------

    def _called(self, request: SipText, source: HostPort) -> None:
        phone, dialog = self._phone, self._phone.dialog
        if self._ringing is not None or phone.answered_at or phone.ending is not None:
            self._respond(request, source, 486, "Busy Here")
            return
        for why in invite_complaints(request):
            phone.complain(why)
        phone.invited_at = phone.clock.seconds()
        self._ringing = request
        self._answers[request.branch, "INVITE"] = b""
        dialog.call_id = request.one("call-id")
        dialog.own = f"{sip_text.without_password(request.one('to'))};tag={tag(dialog.own)}"
        dialog.theirs = request.one("from")
        dialog.their_number = request.cseq
        dialog.routes = request.all("record-route")
        self._refresh_target(request)
        self._answers[request.branch, "INVITE"] = self._response(request, source, 180)
        phone.signalling.send(self._answers[request.branch, "INVITE"], source)
        phone.later(phone.manner.rings, lambda: self._pick_up(request, source))

    def _pick_up(self, request: SipText, source: HostPort) -> None:
        if self._ringing is not request:
            return
        if request.body:
            body = self._phone.offers.answer(request.body)
            if not body:
                self._ringing = None
                self._respond(request, source, 488, "Not Acceptable Here")
                return
        else:
            body = self._phone.offers.describe()
            self._late.add(request.cseq)
        self._accept(request, source, body)

    def _cancelled(self, request: SipText, source: HostPort) -> None:
        ringing = self._ringing
        known = ringing is not None and ringing.branch == request.branch
        self._respond(request, source, 200 if known else 481, "" if known else "Unknown")
        if known and ringing is not None and not self._unacknowledged:
            self._ringing = None
            self._respond(ringing, source, 487, "Request Terminated")
            self._phone.end(Ending(Reason.SERVER_HUNG_UP, "cancelled"))

    # -- responses --------------------------------------------------------------------------------

    def _respond(
        self,
        request: SipText,
        source: HostPort,
        status: int,
        phrase: str = "",
        fields: list[tuple[str, str]] | None = None,
        body: bytes = b"",
    ) -> None:
        data = self._response(request, source, status, phrase, fields, body)
        self._answers[request.branch, request.method] = data
        self._phone.signalling.send(data, source)

    def _response(
        self,
        request: SipText,
        source: HostPort,
        status: int,
        phrase: str = "",
        more: list[tuple[str, str]] | None = None,
        body: bytes = b"",
    ) -> bytes:
        dialog = self._phone.dialog
        top, *vias = request.all("via")
        top = top.replace(";rport", f";rport={source[1]};received={source[0]}", 1)
        to = request.one("to")
        if not tag(to):
            to = f"{to};tag={dialog.own_tag}"
        fields = [
            *(("Via", via) for via in (top, *vias)),
            ("From", request.one("from")),
            ("To", to),
            ("Call-ID", request.one("call-id")),
            ("CSeq", request.one("cseq")),
            *(("Record-Route", route) for route in request.all("record-route")),
        ]
        if request.method in ("INVITE", "UPDATE") and 100 < status < 300:
            fields.append(("Contact", f"<{dialog.contact}>"))
            fields.append(("Allow", self._phone.signalling.methods))
            fields.append(("Supported", "timer"))
        line = f"SIP/2.0 {status} {phrase or _PHRASES.get(status, 'So')}"
        return sip_text.write(line, [*fields, *(more or ())], body)


_REQUESTS = {
    "BYE": Desk._bye,
    "INVITE": Desk._invite,
    "UPDATE": Desk._update,
    "INFO": Desk._info,
    "REFER": Desk._refer,
    "OPTIONS": Desk._fine,
    "NOTIFY": Desk._fine,
}
