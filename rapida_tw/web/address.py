"""PublicAddress: where carriers reach this server, and so what is written into documents for them.

`server.public_host` says it. Where that is not set, the request does: the Host that the client
asked for, or what a trusted proxy says of it.
"""

from __future__ import annotations

import re

from rapida_tw.errors import BadRequest
from rapida_tw.web.peer import Proxies
from rapida_tw.web.request import BoundedRequest

# A header's value gets into documents and addresses: nothing but a name and a port may.
_HOST = re.compile(r"([A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
_AUTHORITY = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


class PublicAddress:
    """Makes the URLs under which we are known outside."""

    def __init__(self, host: str, scheme: str, proxies: Proxies) -> None:
        """`host`: with its port, if it needs one, or ""; `scheme`: https or http, of `host`."""
        self._host = host
        self._scheme = scheme
        self._proxies = proxies

    @property
    def is_set(self) -> bool:
        """Whether it is ours by configuration, and not only what some client asked for."""
        return bool(self._host)

    def url(self, request: BoundedRequest, path: str) -> str:
        """https or http; `BadRequest` where the request names no host."""
        return self._url(request, "http", path)

    def media_url(self, request: BoundedRequest, path: str) -> str:
        """The same with wss or ws."""
        return self._url(request, "ws", path)

    def requested(self, request: BoundedRequest) -> str:
        """The URL that the client asked for, its path and query untouched: signatures are made
        over it. Of an upgrade to WebSocket it begins with wss or ws.
        """
        upgrades = request.header("upgrade").lower() == "websocket"
        # RFC 9112, section 3.2.2: a target may be a whole URL.
        target = _AUTHORITY.sub(b"", request.uri, count=1) or b"/"
        return self._url(request, "ws" if upgrades else "http", target.decode("utf-8", "replace"))

    def _url(self, request: BoundedRequest, scheme: str, path: str) -> str:
        if self._host:
            secure, host = self._scheme == "https", self._host
        else:
            secure, host = self._is_secure(request), self._host_of(request)
        return f"{scheme}{'s' if secure else ''}://{host}{path}"

    def _is_secure(self, request: BoundedRequest) -> bool:
        forwarded = self._proxies.forwarded(request, "proto").lower()
        return forwarded in ("https", "wss") if forwarded else request.isSecure()

    def _host_of(self, request: BoundedRequest) -> str:
        host = self._proxies.forwarded(request, "host") or request.header("host")
        if not host:  # HTTP/1.0
            own = request.getHost()
            host = f"{own.host}:{own.port}" if hasattr(own, "port") else "localhost"
        if not _HOST.fullmatch(host):
            raise BadRequest("the host that was asked for is no name of a host")
        return host
