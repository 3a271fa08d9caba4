"""A call by SIP over the real network, from the look-up of the server's name to its last answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.error import DNSLookupError

from rapida_tw.sim.phone import CallFailed, Phone, Reason
from rapida_tw.sim.sip_login import ANY
from rapida_tw.sim.sip_manner import SipAccount, SipManner
from rapida_tw.sim.sip_phone import SipPhone
from rapida_tw.sim.udp import RealUdp, own_address

PARTS_WITHIN = 2.0  # seconds for the answer to a BYE
PHONE = SipManner(("PCMU", "PCMA"), digest=ANY)


async def call(
    reactor: Any,
    phone: Phone,
    over: Deferred[None],
    server: tuple[str, int],
    assistant_id: str,
    password: str,
    caller: str,
    manner: SipManner = PHONE,
) -> Mapping[str, int]:
    """To its end: when `over` has fired, the phone having been told so. What it complained of.

    `CallFailed` when nobody answers, or the call is refused. Cancelling it hangs up.
    """
    host = await _address(reactor, server[0])
    account = SipAccount((host, server[1]), assistant_id, password, caller)
    try:
        line = SipPhone(phone, RealUdp(reactor), own_address(host), account, reactor, manner)
    except OSError as error:
        raise CallFailed(f"no way to {host}: {error.strerror or error}") from error
    try:
        line.call()
        await over
    finally:
        line.hang_up()
        if line.answered_at:
            await _parted(line, reactor)
        line.close()
    ending = line.ending
    if ending is not None and ending.reason in (Reason.REFUSED, Reason.NO_ANSWER):
        where = f"sip:{server[0]}:{server[1]}"
        raise CallFailed(f"{where} did not take the call: {ending.detail or 'no answer'}")
    return line.complaints


async def _parted(line: SipPhone, reactor: Any) -> None:
    try:
        await line.parted.addTimeout(PARTS_WITHIN, reactor)
    except TookTooLong:
        line.complain("a BYE without an answer")


async def _address(reactor: Any, host: str) -> str:
    if isIPAddress(host) or isIPv6Address(host):
        return host
    try:
        found: str = await reactor.resolve(host)
    except DNSLookupError as error:
        raise CallFailed(f"no host {host}: {error}") from error
    return found
