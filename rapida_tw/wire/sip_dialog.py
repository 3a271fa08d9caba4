"""SIP dialogs: what their requests are made of and checked against, without I/O (RFC 3261 12)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sip_headers import unquote
from rapida_tw.wire.sip_message import Headers, Message, Request, Response
from rapida_tw.wire.sip_uri import Address

LAST_CSEQ = 2**31 - 1  # 8.1.1.5
MOST_ROUTES = 64
_CREDENTIALS = ("Authorization", "Proxy-Authorization")
_REFRESHING = frozenset(("INVITE", "UPDATE"))  # which replace the remote target (12.2, RFC 3311)


class Dialog:
    """One side of a dialog. `local` and `remote` carry the tags, neither ever a password.

    `target` is where their Contact says they are, as they wrote it; `route_set` is in the order in
    which requests of ours visit it, each as it came. `remote_cseq` is None before their first
    request. `secure`: sips all the way (12.1).
    """

    def __init__(
        self,
        call_id: str,
        local: Address,
        remote: Address,
        target: str,
        route_set: list[str],
        local_cseq: int,
        remote_cseq: int | None,
        secure: bool,
    ) -> None:
        self.call_id = call_id
        self.local = local
        self.remote = remote
        self.target = target
        self.route_set = route_set
        self.local_cseq = local_cseq
        self.remote_cseq = remote_cseq
        self.secure = secure
        self.confirmed = False
        self._calling = False

    @classmethod
    def answering(cls, request: Request, local_tag: str) -> Dialog:
        """Their INVITE, answered with `local_tag` in To (12.1.1).

        `RemoteProtocolError` without a Contact, or for Record-Routes that no request can follow.
        """
        target = contact_uri(request)
        if not target:
            raise RemoteProtocolError("no Contact")
        return cls(
            request.call_id,
            _party(request.to, local_tag),
            _party(request.from_, request.from_.tag),
            target,
            _routes(request),
            0,
            request.cseq[0],
            request.uri[:5].lower() == "sips:",
        )

    @classmethod
    def asked(cls, request: Request, response: Response) -> Dialog:
        """Our INVITE and one response with a To tag, each fork's its own (12.1.2).

        Without a Contact, as 18x often are, the target stays the INVITE's. A 2xx confirms it.
        `RemoteProtocolError` for Record-Routes that no request can follow.
        """
        dialog = cls(
            request.call_id,
            _party(request.from_, request.from_.tag),
            _party(response.to, response.to.tag),
            contact_uri(response) or request.uri,
            _routes(response)[::-1],
            request.cseq[0],
            None,
            request.uri[:5].lower() == "sips:",
        )
        dialog._calling = True
        dialog.confirmed = response.status >= 200
        return dialog

    @property
    def local_tag(self) -> str:
        return self.local.tag

    @property
    def remote_tag(self) -> str:
        return self.remote.tag

    @property
    def id(self) -> tuple[str, str, str]:
        """Call-ID, our tag, their tag."""
        return self.call_id, self.local.tag, self.remote.tag

    # -- ours -------------------------------------------------------------------------------------

    def request(self, method: str, contact: str = "") -> Request:
        """The next request of ours, with the next CSeq number, without Via and body (12.2.1.1).

        `contact`: the value of Contact, for INVITE, UPDATE and their like.
        """
        self.local_cseq += 1
        request = self._request(method, self.local_cseq)
        if contact:
            request.headers.set("Contact", contact)
        return request

    def ack(self, invite: Request) -> Request:
        """The ACK of a 2xx to our `invite`: its CSeq number and credentials (13.2.2.4, 22.1)."""
        ack = self._request("ACK", invite.cseq[0])
        for name in _CREDENTIALS:
            for value in invite.headers.all(name):
                ack.headers.add(name, value)
        return ack

    def hop(self) -> str:
        """The URI of the next hop: the first route's, or the target."""
        return _uri(self.route_set[0]) if self.route_set else self.target

    def _request(self, method: str, number: int) -> Request:
        uri, routes = self.target, self.route_set
        if routes and "lr" not in Address.parse(routes[0]).uri.parameters:
            # A strict router wants itself in the Request-URI, and the target at the end.
            uri, routes = self.hop(), [*routes[1:], f"<{self.target}>"]
        fields = [
            ("Max-Forwards", "70"),
            *(("Route", route) for route in routes),
            ("From", str(self.local)),
            ("To", str(self.remote)),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
        ]
        return Request(method, uri, Headers(fields))

    # -- theirs -----------------------------------------------------------------------------------

    def received(self, request: Request) -> int:
        """0: go on. Otherwise the status that refuses it: 500, it is older than their last.

        Notes its CSeq number; gaps are normal. INVITE and UPDATE move the target. ACK and CANCEL
        have the number of what they belong to, and are no concern of this.
        """
        number, method = request.cseq
        if method in ("ACK", "CANCEL"):
            return 0
        if self.remote_cseq is not None and number < self.remote_cseq:
            return 500
        self.remote_cseq = number
        if method in _REFRESHING:
            self.target = contact_uri(request) or self.target
        return 0

    def confirm(self, response: Response) -> None:
        """Their 2xx to an INVITE or UPDATE of ours: it moves the target.

        The first one to a dialog that began with a 18x also replaces the route set (13.2.2.4).
        `RemoteProtocolError` for Record-Routes that no request can follow.
        """
        if self._calling and not self.confirmed:
            self.route_set = _routes(response)[::-1]
        self.confirmed = True
        self.target = contact_uri(response) or self.target


def contact_uri(message: Message) -> str:
    """The URI of the first Contact as it came, fit to be a Request-URI; "" when there is none."""
    if message.contact is None:
        return ""
    uri = message.contact.uri
    if uri.password is not None or uri.headers or "method" in uri.parameters:
        # None of these may stand in a Request-URI (19.1.1, table 1).
        parameters = {name: text for name, text in uri.parameters.items() if name != "method"}
        return str(replace(uri, headers=(), parameters=parameters))
    return _uri(message.headers.top("Contact"))


def _uri(value: str) -> str:
    """The URI of an address that has been parsed before, byte for byte.

    What has come is given back as it came: peers compare more strictly than 19.1.4 asks.
    """
    value = value.strip()
    if value[:1] == '"':
        value = unquote(value)[1]
    before, bracket, rest = value.partition("<")
    if bracket and ";" not in before:
        return rest.partition(">")[0].strip()
    return value.partition(";")[0].strip()


def _party(address: Address, tag: str) -> Address:
    """From or To of all requests to come: nothing but the tag of its parameters stays."""
    uri = replace(address.uri, password=None)
    return Address(uri, address.display, {"tag": tag} if tag else {})


def _routes(message: Message) -> list[str]:
    routes: Iterable[str] = message.headers.values("Record-Route")
    routes = list(routes)
    if len(routes) > MOST_ROUTES:
        raise RemoteProtocolError(f"{len(routes)} Record-Routes")
    for route in routes:
        if not Address.parse(route).uri.host:
            raise RemoteProtocolError("a Record-Route without a host")
    return routes
