"""A phone's messages: requests with their answers, ACKs, and what is wrong with what comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from twisted.internet.interfaces import IReactorTime

from rapida_tw.sim import sip_sdp, sip_text
from rapida_tw.sim.datagrams import HostPort
from rapida_tw.sim.sip_asking import Answered, Asking
from rapida_tw.sim.sip_manner import SipAccount, SipManner
from rapida_tw.sim.sip_rules import Dialog, response_complaints, timer_complaints
from rapida_tw.sim.sip_text import SipText
from rapida_tw.sim.udp import Socket

_METHODS = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REFER, NOTIFY"
CAUSE = 'Q.850;cause=16;text="Normal call clearing"'
_USER_AGENT = "rapida_tw simulated phone"
_WITH_CONTACT = ("INVITE", "UPDATE", "NOTIFY")

Fields = list[tuple[str, str]]


class Signalling:
    """Of one phone and its one dialog.

    `requested` is told of each request of theirs, `progressed` of each response to an INVITE of
    ours, when it has been dealt with. `ladder`: when, > or <, first line.
    """

    def __init__(
        self,
        socket: Socket,
        account: SipAccount,
        manner: SipManner,
        clock: IReactorTime,
        random: Random,
        complaints: Counter[str],
        requested: Callable[[SipText, HostPort], None],
        progressed: Callable[[], None],
    ) -> None:
        self.ladder: list[tuple[float, str, str]] = []
        self._socket = socket
        self._account = account
        self._clock = clock
        self._random = random
        self._complaints = complaints
        self._requested = requested
        self._progressed = progressed
        self._asking: dict[str, Asking] = {}  # by branch, CANCEL behind it
        self.methods = f"{_METHODS}, UPDATE" if manner.updates else _METHODS
        host, port = socket.address
        host = manner.inside or host
        self._place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        own = f"sip:{account.caller}@{self._place}"
        self.dialog = Dialog(
            f"{random.getrandbits(96):024x}@{host}",
            f"<{own}>;tag={random.getrandbits(64):016x}",
            f"<{account.uri(bool(manner.digest))}>",
            own,
            own_number=random.randrange(1, 1_000),
        )
        socket.hear(self._received)

    # -- what goes --------------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        answered: Answered,
        fields: Fields | None = None,
        body: bytes = b"",
        uri: str = "",
    ) -> Asking:
        """Send a request, again and again until it is answered; `uri`: not the dialog's target."""
        fields = list(fields or ())
        self.dialog.own_number += 1
        if method in _WITH_CONTACT:
            fields.append(("Contact", f"<{self.dialog.contact}>"))
        if method == "BYE":
            fields.append(("Reason", CAUSE))
        if body and not any(name == "Content-Type" for name, _ in fields):
            fields.append(("Content-Type", sip_sdp.TYPE))
        data, branch = self._request(method, uri or self.dialog.target, fields, body)
        return self._begin(branch, data, answered)

    def _begin(self, key: str, data: bytes, answered: Answered) -> Asking:
        asking = Asking(self._clock, self.send, data, self.dialog.their_tag, answered)
        self._asking[key] = asking
        return asking

    def acknowledge(self, response: SipText, body: bytes) -> None:
        """The ACK of a 2xx: a request of its own, with the number of its INVITE (13.2.2.4)."""
        asking = self._asking[response.branch]
        fields = [("Content-Type", sip_sdp.TYPE)] if body else []
        asking.ack, _ = self._request("ACK", self.dialog.target, fields, body, response.cseq)
        self.send(asking.ack)

    def asked(self, response: SipText) -> SipText:
        """The request of ours that it answers."""
        return self._asking[response.branch].sent

    @property
    def inviting(self) -> bool:
        """An INVITE of ours has no final response."""
        return any(one.sent.method == "INVITE" and not one.done for one in self._asking.values())

    def cancel(self, invite: Asking) -> None:
        """The same branch, URI, To and number as the INVITE (9.1); once."""
        sent = invite.sent
        key = f"{sent.branch} CANCEL"
        if key in self._asking:
            return
        fields = _copied(sent, "via", "max-forwards", "from", "to", "call-id")
        fields += [("CSeq", f"{sent.cseq} CANCEL"), ("Reason", CAUSE)]
        data = sip_text.write(f"CANCEL {sent.uri} SIP/2.0", fields)
        self._begin(key, data, lambda response: None)

    def _request(
        self, method: str, uri: str, more: Fields, body: bytes = b"", number: int | None = None
    ) -> tuple[bytes, str]:
        dialog = self.dialog
        branch = f"z9hG4bK{self._random.getrandbits(64):016x}"
        fields = [
            ("Via", f"SIP/2.0/UDP {self._place};rport;branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", dialog.own),
            ("To", dialog.theirs),
            ("Call-ID", dialog.call_id),
            ("CSeq", f"{dialog.own_number if number is None else number} {method}"),
            *(("Route", route) for route in dialog.routes),
            ("Allow", self.methods),
            ("Supported", "timer"),
            ("User-Agent", _USER_AGENT),
            *more,
        ]
        return sip_text.write(f"{method} {uri} SIP/2.0", fields, body), branch

    def send(self, data: bytes, to: HostPort | None = None) -> None:
        """One message."""
        self._note(">", data)
        self._socket.send(data, to or self._account.server)

    # -- what comes -------------------------------------------------------------------------------

    def _received(self, data: bytes, source: HostPort) -> bool:
        if not data.strip(b"\r\n"):
            return False
        self._note("<", data)
        try:
            message = sip_text.read(data)
        except sip_text.BadText as error:
            self._complain(str(error))
            return False
        if message.method:
            self._requested(message, source)
        else:
            self._response(message)
        return True

    def _response(self, response: SipText) -> None:
        key = response.branch
        if response.cseq_method == "CANCEL":
            key = f"{key} CANCEL"
        asking = self._asking.get(key)
        if asking is None:
            self._complain(f"{response.status} to no request of ours")
            return
        self._complain(*response_complaints(asking.asked, response))
        if asking.sent.method == "INVITE":
            self._invite_answered(asking, response)
        else:
            asking.received(response)

    def _invite_answered(self, asking: Asking, response: SipText) -> None:
        if asking.done:
            if response.status >= 200 and asking.ack:
                self.send(asking.ack)  # each repeated one gets the same ACK
            return
        if 200 <= response.status < 300:
            self._complain(*timer_complaints(asking.sent, response))
        elif response.status >= 300:
            self._acknowledge_failure(asking, response)
        asking.received(response)
        self._progressed()

    def _acknowledge_failure(self, asking: Asking, response: SipText) -> None:
        """The ACK of 3xx to 6xx is of the transaction: its branch, its URI (17.1.1.3)."""
        sent = asking.sent
        fields = _copied(sent, "via", "max-forwards", "from", "call-id")
        fields += [("To", response.one("to")), ("CSeq", f"{sent.cseq} ACK")]
        asking.ack = sip_text.write(f"ACK {sent.uri} SIP/2.0", fields)
        self.send(asking.ack)

    def _complain(self, *reasons: str) -> None:
        self._complaints.update(reasons)

    def _note(self, direction: str, data: bytes) -> None:
        first = data.partition(b"\r\n")[0].decode("utf-8", "replace")
        self.ladder.append((self._clock.seconds(), direction, first))

    def close(self) -> None:
        """Nothing is sent again, nothing is heard."""
        for asking in self._asking.values():
            asking.stop()
        self._socket.close()


def _copied(sent: SipText, *names: str) -> Fields:
    return [(name.title(), sent.one(name)) for name in names]
