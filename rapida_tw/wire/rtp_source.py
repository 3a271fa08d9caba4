"""Source: from whom a call's media is taken and where ours is sent (RFC 4961, symmetric RTP).

SDP says where; behind a NAT it is wrong, and whoever follows every foreign packet gives the
caller's audio to a stranger (RTPbleed). So: learn for a moment, among addresses that the signalling
vouches for, then stay.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal

Address = tuple[str, int]  # as a socket tells it: IP literal, port
Learn = Literal["announced", "signalling", "any"]

LEARNING: Final = 5.0  # seconds after an agreement
SETTLED_AFTER: Final = 5  # packets in a row from one address
REBINDS_AFTER: Final = 2.0  # seconds of silence
IGNORED_AFTER_MOVE: Final = 0.5  # seconds: packets of the old address that are still on the way
_NEWER: Final = 3000  # packets that a sequence may go on by while a NAT finds a new binding

# How well an address is vouched for; less is better.
_EXACT, _SAME_HOST, _SIGNALLING, _ANY, _LEFT = range(5)


def _networks(*texts: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(map(ip_network, texts))


# Not by `is_private`, which takes documentation's addresses for private as well.
_LINK: Final = _networks("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10")
_SITE: Final = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
_PRIVATE: Final = _LINK + _SITE + _networks("fc00::/7")
_NOBODY: Final = _networks("0.0.0.0/8", "224.0.0.0/3", "::/128", "ff00::/8")


class Source:
    """The latch of one stream; RTCP on a port of its own has its own. Times are seconds.

    `learn`: "announced" takes media from exactly the address in SDP; "signalling" also from another
    port of that host, or from the host that signals; "any" from anybody until it has settled, but
    only where SDP's address is private or none.

    Public state, for the packet that comes from where the last one came (wire/rtp_receiver.py
    keeps `heard_at` and `sequence` of that by itself): `settled` is `remote` once that moves no
    more.
    """

    def __init__(self, learn: Learn = "signalling") -> None:
        self.learn = learn
        self.remote: Address | None = None  # where to send
        self.settled: Address | None = None
        self.heard_at = -1.0  # when the last packet was taken; negative: none since the agreement
        self.ssrc = -1  # of that packet
        self.sequence = 0
        self.moved = 0  # times that a packet changed `remote`
        self._agreed = False
        self._announced: tuple[Address, str] = (("", 0), "")  # and the host that signals
        self._private = False  # SDP's address is, or there is none
        self._until = 0.0  # learning
        self._run = 0  # packets in a row
        self._rival: Address | None = None  # no worse vouched for than `remote`, and its run
        self._rivals_run = 0
        self._left: Address | None = None
        self._ignored_until = 0.0

    def agreed(self, host: str, port: int, signalling_host: str, now: float) -> None:
        """An offer and its answer name their address; "" or port 0 when it cannot be sent to.

        The same again changes nothing, another one begins to learn anew. Nothing is unlearned by
        none (a hold of the old kind): the address before it comes back.
        """
        host, signalling_host = _plain(host), _plain(signalling_host)
        known, known_signalling = self._announced
        address = (host, port) if host and port else known
        if self._agreed and (address, signalling_host) == (known, known_signalling):
            return
        self._agreed = True
        self._announced = (address, signalling_host)
        self._private = not address[1] or _within(address[0], _PRIVATE + _NOBODY)
        if self.remote is not None and address == _unmapped(self.remote):
            return  # they have learned how we see them
        if address != known:
            self._leave_for(address, now)
            self.remote = address if _can_be_sent_to(address[0], signalling_host) else None
        self.settled = None
        self._until = now + LEARNING
        self._run = self._rivals_run = 0
        self._rival = None

    def _leave_for(self, address: Address, now: float) -> None:
        if self.heard_at >= 0:
            self._leave(now)
        if self._left is not None and _unmapped(self._left) == address:
            self._left = None
        self.heard_at = -1.0

    def accepts(self, address: Address, ssrc: int, sequence: int | None, now: float) -> bool:
        """Whether a valid packet from there is the call's; it may become `remote`.

        `sequence` None: of RTCP, which has none.
        """
        if address == self.settled:
            self._heard(ssrc, sequence, now)
            return True
        if not address[1] or (address == self._left and now < self._ignored_until):
            return False
        rank = self._rank(address)
        if rank is None:
            return False
        if self.settled is None:
            taken = self._learns(address, rank, now)
        else:
            taken = self._rebinds(address, ssrc, sequence, now)
        if taken:
            self._heard(ssrc, sequence, now)
        return taken

    def _rank(self, address: Address) -> int | None:
        """None: nobody vouches for it."""
        host, port = _unmapped(address)
        announced, signalling = self._announced
        if (host, port) == announced:
            return _EXACT
        if self.learn == "announced":
            return None
        if host == announced[0]:
            rank = _SAME_HOST
        elif host == signalling:
            rank = _SIGNALLING
        elif self.learn == "any" and self._private:
            rank = _ANY
        else:
            return None
        return _LEFT if address == self._left else rank

    def _learns(self, address: Address, rank: int, now: float) -> bool:
        if self.heard_at < 0:
            self._move(address)
        elif address == self.remote:
            self._rival = None
        else:
            held = _LEFT if self.remote is None else self._rank(self.remote)
            if held is not None and rank >= held and not self._wins(address, rank == held):
                return False
            self._move(address)
        self._run += 1
        # One that was left has to go on until nothing better can come any more.
        if (self._run >= SETTLED_AFTER and rank != _LEFT) or now >= self._until:
            self.settled = self.remote
        return True

    def _wins(self, rival: Address, equal: bool) -> bool:
        """As well vouched for as `remote`: it does when `remote` is silent meanwhile."""
        if not equal:
            return False
        self._rivals_run = self._rivals_run + 1 if rival == self._rival else 1
        self._rival = rival
        self._run = 0
        return self._rivals_run >= SETTLED_AFTER

    def _rebinds(self, address: Address, ssrc: int, sequence: int | None, now: float) -> bool:
        """A NAT's new binding, or a phone that roams: the same stream goes on from elsewhere."""
        if ssrc != self.ssrc or now - self.heard_at < REBINDS_AFTER:
            return False
        if sequence is not None and not 0 < (sequence - self.sequence) & 0xFFFF <= _NEWER:
            return False
        self._leave(now)
        self._move(address)
        self.settled = address
        return True

    def _leave(self, now: float) -> None:
        self._left = self.remote
        self._ignored_until = now + IGNORED_AFTER_MOVE

    def _move(self, address: Address) -> None:
        if address != self.remote:
            self.remote = address
            self.moved += 1
        self._run = 0
        self._rival = None

    def _heard(self, ssrc: int, sequence: int | None, now: float) -> None:
        self.heard_at = now
        self.ssrc = ssrc
        if sequence is not None:
            self.sequence = sequence


def _can_be_sent_to(host: str, signalling_host: str) -> bool:
    """A private address is of the network of who signals: of ours, if that is private too."""
    if not host or _within(host, _NOBODY):
        return False
    if host == signalling_host or not _within(host, _PRIVATE):
        return True
    return _within(signalling_host, _LINK if _within(host, _LINK) else _PRIVATE)


def _within(host: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    if not host:
        return False
    address = ip_address(host)
    return any(address in network for network in networks)


def _plain(host: str) -> str:
    """An IP literal as sockets write it; "" when it is none."""
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _unmapped(address: Address) -> Address:
    """Without the prefix that a socket of both families gives IPv4 (RFC 4291 2.5.5.2)."""
    host, port = address
    return (host[7:], port) if host.startswith("::ffff:") else address
