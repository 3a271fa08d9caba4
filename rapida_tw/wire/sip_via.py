"""The Via header: where a response goes (RFC 3261 18.2, 20.42; RFC 3581)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sip_headers import parameters, write_parameters
from rapida_tw.wire.sip_uri import host_port

# Blanks are allowed around each slash, and there are several before the sender.
_PROTOCOL = re.compile(
    r"SIP[ \t]*+/[ \t]*+[0-9.]{1,10}[ \t]*+/[ \t]*+([A-Za-z0-9\-.]{1,32})[ \t]++", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Via:
    """The top of the way back (20.42). `parameters`: lower-case names; `port` None: the default."""

    transport: str  # upper case
    host: str
    port: int | None = None
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def branch(self) -> str:
        return self.parameters.get("branch", "")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {host}{port}{write_parameters(self.parameters)}"

    @classmethod
    def parse(cls, text: str) -> Via:
        """One value of the header; `RemoteProtocolError`. The version is not looked at: the start
        line's counts.
        """
        found = _PROTOCOL.match(text)
        if found is None:
            raise RemoteProtocolError("a Via without protocol")
        sender, _, tail = text[found.end() :].partition(";")
        sender = sender.strip()
        if " " in sender or "\t" in sender:
            name, colon, digits = sender.rpartition(":")
            sender = name.rstrip() + colon + digits.lstrip()
        host, port = host_port(sender)
        return cls(found[1].upper(), host, port, parameters(tail) if tail else {})

    def received(self, host: str, port: int) -> Via:
        """With what 18.2.1 and RFC 3581 4 note of the packet: `received`, and `rport` if asked.

        `host`: where it came from, canonical.
        """
        noted = dict(self.parameters)
        noted.pop("received", None)  # only ours counts
        if "rport" in noted:
            noted["rport"] = str(port)
        if "rport" in noted or host != self.host:
            noted["received"] = host
        return Via(self.transport, self.host, self.port, noted)
