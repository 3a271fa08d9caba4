"""Who calls whom over SIP, and what kind of phone it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from rapida_tw.sim.datagrams import HostPort


@dataclass(frozen=True, slots=True)
class SipAccount:
    """`server`: where the messages go; `number`: what is dialled, with a digest."""

    server: HostPort
    assistant_id: str
    password: str = field(repr=False)
    caller: str = "+15550100"
    number: str = ""

    def uri(self, digest: bool) -> str:
        """What is called: with the password in it, or without."""
        host, port = self.server
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if digest:
            return f"sip:{self.number or self.assistant_id}@{place}"
        return f"sip:{self.assistant_id}:{self.password}@{place}"


@dataclass(frozen=True, slots=True)
class SipManner:
    """How a phone calls. `codecs`: what it offers, the first one's rate is the line's.

    `digest`: MD5, SHA-256 or any; "": the password is in the URI. `expires`: seconds of a session
    timer, 0: none. `drift`: of its clock, in parts per million; fast ones are positive.
    `rings`: seconds until it answers a call. `transfers`: how a REFER of theirs comes out, a
    status; 0: it is not taken. `direction`: of its first offer. `inside`: the address that it
    believes to have, behind a NAT. `updates`: it takes UPDATE.
    """

    codecs: tuple[str, ...] = ("PCMU",)
    ptime: int = 20
    events: bool = True
    digest: str = ""
    late_offer: bool = False
    expires: int = 0
    refresher: str = ""
    drift: float = 0.0
    rings: float = 1.0
    transfers: int = 200
    direction: str = "sendrecv"
    inside: str = ""
    updates: bool = True

    @property
    def interval(self) -> float:
        """Seconds on a true clock from one packet to the next."""
        return self.ptime / 1000 / (1 + self.drift / 1e6)
