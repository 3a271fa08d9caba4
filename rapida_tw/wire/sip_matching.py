"""What belongs to which transaction (RFC 3261 17.2.3, 17.1.3), and what is sent within one."""

from __future__ import annotations

from typing import Final

from rapida_tw.wire.sip_message import Headers, Request, Response

COOKIE: Final = "z9hG4bK"
_CREDENTIALS = ("Authorization", "Proxy-Authorization")

Key = tuple[str, ...]


def server_key(request: Request, method: str = "") -> Key:
    """The same for a request, its repetitions and its ACK; with "INVITE" of a CANCEL: its INVITE's.

    Call-ID and CSeq number are in it beside the branch: they are alike in all of these, and a peer
    that gives two calls one branch still gets an answer to both. Without the cookie the branch
    means nothing (RFC 2543), and Request-URI and From tag count. The To tag of an ACK is not looked
    at: that of a 2xx goes to their Contact, so its Request-URI is another.
    """
    via = request.via
    number, own = request.cseq
    method = method or ("INVITE" if own == "ACK" else own)
    port = "" if via.port is None else str(via.port)
    key = (method, via.branch, via.host.lower(), port, request.call_id, str(number))
    if via.branch.startswith(COOKIE):
        return key
    return (*key, request.from_.tag, request.uri)


def client_key(response: Response) -> Key:
    """The branch is ours; a CANCEL has that of its INVITE, hence the method."""
    return response.via.branch, response.cseq[1]


def merging_key(request: Request) -> Key | None:
    """What two ways of one request have in common (8.2.2.2); None within a dialog."""
    if request.to.tag:
        return None
    number, method = request.cseq
    return request.call_id, request.from_.tag, str(number), method


def ack_of_failure(invite: Request, response: Response) -> Request:
    """The ACK of a 300 to 699, which is part of the INVITE's transaction (17.1.1.3)."""
    ack = _hop_by_hop("ACK", invite, response.headers.get("To"))
    for name in _CREDENTIALS:  # 22.1
        for value in invite.headers.all(name):
            ack.headers.add(name, value)
    return ack


def cancel_of(invite: Request, reason: str = "") -> Request:
    """The CANCEL of an INVITE of ours (9.1); `reason` is the value of Reason (RFC 3326)."""
    cancel = _hop_by_hop("CANCEL", invite, invite.headers.get("To"))
    if reason:
        cancel.headers.set("Reason", reason)
    return cancel


def _hop_by_hop(method: str, invite: Request, to: str) -> Request:
    """Same way, same branch, same number."""
    headers = invite.headers
    fields = [
        ("Via", headers.top("Via")),
        ("Max-Forwards", "70"),
        *(("Route", route) for route in headers.values("Route")),
        ("From", headers.get("From")),
        ("To", to),
        ("Call-ID", invite.call_id),
        ("CSeq", f"{invite.cseq[0]} {method}"),
    ]
    return Request(method, invite.uri, Headers(fields))
