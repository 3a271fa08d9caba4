"""What a strict peer finds wrong in the server's messages (RFC 3261 8, 12; sip.md 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rapida_tw.sim.sip_text import BadText, SipText, address, has_password, parameters, tag

_UNSPECIFIED = ("0.0.0.0", "[::]")
_NEEDS_CONTACT = ("INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY")
_COOKIE = "z9hG4bK"


@dataclass(slots=True)
class Asked:
    """A request of the phone's, as it was sent."""

    sent: SipText
    their_tag: str = ""  # of the dialog, when there is one
    early: dict[str, str] = field(default_factory=dict)  # To tags of its responses


def response_complaints(asked: Asked, response: SipText) -> Iterator[str]:
    """Of a response that belongs to that request."""
    sent, status = asked.sent, response.status
    where = f"{status} to {sent.method}"
    for name in ("from", "call-id", "cseq"):
        if response.one(name) != sent.one(name):
            yield f"{where}: {name} is not ours"
    yield from _via_complaints(sent, response, where)
    ours, theirs = sent.one("to"), response.one("to")
    if not theirs.startswith(ours.partition(";tag=")[0]):
        yield f"{where}: To is not ours"
    if status > 100 and not tag(theirs):
        yield f"{where}: no To tag"
    if status == 100 and sent.method == "INVITE" and tag(theirs) and not tag(ours):
        yield f"{where}: a To tag"
    if asked.their_tag and status > 100 and tag(theirs) != asked.their_tag:
        yield f"{where}: another To tag"
    told = [value for name, value in response.fields if name not in ("to", "via", "from")]
    if any(map(has_password, told)) or has_password(response.one("contact")):
        yield f"{where}: tells a password"
    if sent.method in ("INVITE", "UPDATE") and 100 < status < 300:
        yield from _contact_complaints(response, where)
        if response.all("record-route") != sent.all("record-route"):
            yield f"{where}: Record-Route is not ours"
    if sent.method in ("INVITE", "UPDATE") and 200 <= status < 300 and not response.all("allow"):
        yield f"{where}: no Allow"
    if status == 401 and not response.all("www-authenticate"):
        yield f"{where}: no challenge"
    if status == 405 and not response.all("allow"):
        yield f"{where}: no Allow"
    if status == 420 and not response.all("unsupported"):
        yield f"{where}: no Unsupported"
    if response.body and response.one("content-type").lower() != "application/sdp":
        yield f"{where}: a body of {response.one('content-type')}"


def _via_complaints(sent: SipText, response: SipText, where: str) -> Iterator[str]:
    if len(response.all("via")) != len(sent.all("via")):
        yield f"{where}: {len(response.all('via'))} Vias"
    mine, back = sent.one("via"), response.one("via")
    before, after = parameters(mine), parameters(back)
    if mine.partition(";")[0] != back.partition(";")[0] or before["branch"] != after.get("branch"):
        yield f"{where}: Via is not ours"
    if "rport" in before and not (after.get("rport") and after.get("received")):
        yield f"{where}: rport without its value"


def _contact_complaints(message: SipText, where: str) -> Iterator[str]:
    try:
        uri, _ = address(message.one("contact"))
    except BadText as error:
        yield f"{where}: Contact: {error}"
        return
    host = uri.partition(":")[2].rpartition("@")[2]
    if any(host.startswith(each) for each in _UNSPECIFIED):
        yield f"{where}: Contact {uri}"


@dataclass(slots=True)
class Dialog:
    """What the phone knows of a call's dialog."""

    call_id: str
    own: str  # From or To of ours, with the tag
    theirs: str  # the other one
    contact: str  # our URI
    target: str = ""  # their Contact
    own_number: int = 0  # CSeq
    their_number: int = -1
    routes: list[str] = field(default_factory=list)

    @property
    def own_tag(self) -> str:
        return tag(self.own)

    @property
    def their_tag(self) -> str:
        return tag(self.theirs)


def invite_complaints(invite: SipText) -> Iterator[str]:
    """Of an INVITE that makes a dialog."""
    where = "INVITE"
    if not invite.branch.startswith(_COOKIE):
        yield f"{where}: branch {invite.branch!r}"
    if not tag(invite.one("from")):
        yield f"{where}: no From tag"
    if invite.one("max-forwards") != "70":
        yield f"{where}: Max-Forwards {invite.one('max-forwards')!r}"
    if any(has_password(value) for name, value in invite.fields if name != "to"):
        yield f"{where}: tells a password"
    if not invite.all("allow"):
        yield f"{where}: no Allow"
    yield from _contact_complaints(invite, where)


def request_complaints(dialog: Dialog, request: SipText) -> Iterator[str]:
    """Of a request within the dialog; not of a repeated one."""
    where = request.method
    if request.one("call-id") != dialog.call_id:
        yield f"{where}: another Call-ID"
    if tag(request.one("from")) != dialog.their_tag or tag(request.one("to")) != dialog.own_tag:
        yield f"{where}: tags of another dialog"
    if request.uri != dialog.contact:
        yield f"{where}: to {request.uri}, not to our Contact"
    if not request.branch.startswith(_COOKIE):
        yield f"{where}: branch {request.branch!r}"
    if request.method == "ACK":
        return
    if request.one("max-forwards") != "70":
        yield f"{where}: Max-Forwards {request.one('max-forwards')!r}"
    if dialog.their_number >= 0 and request.cseq <= dialog.their_number:
        yield f"{where}: CSeq {request.cseq} after {dialog.their_number}"
    if any(has_password(value) for name, value in request.fields if name != "to"):
        yield f"{where}: tells a password"
    if request.method in _NEEDS_CONTACT:
        yield from _contact_complaints(request, where)
    if request.method in ("BYE", "CANCEL") and not request.all("reason"):
        yield f"{where}: no Reason"


def timer_complaints(sent: SipText, response: SipText) -> Iterator[str]:
    """Session timers in a 2xx (RFC 4028 9)."""
    wanted, got = sent.one("session-expires"), response.one("session-expires")
    if not wanted:
        if got:
            yield "a session timer that nobody has asked for"
        return
    most = int(wanted.partition(";")[0])
    number, refresher = got.partition(";")[0], parameters(got).get("refresher", "")
    if not number.isdigit() or not 90 <= int(number) <= max(90, most):
        yield f"Session-Expires {got!r} for {wanted!r}"
        return
    if refresher not in ("uac", "uas"):
        yield f"Session-Expires {got!r} without a refresher"
    asked = parameters(wanted).get("refresher", "")
    if asked and refresher != asked:
        yield f"{refresher} refreshes, not {asked}"
    if refresher == "uac" and "timer" not in response.tokens("require"):
        yield "no Require: timer"
