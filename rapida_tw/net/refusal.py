"""What it means that a vendor was not reached, or refused: a sentence, and whether to try again."""

from __future__ import annotations

from collections.abc import Mapping

from OpenSSL.SSL import Error as TLSError
from service_identity import VerificationError
from twisted.internet.defer import CancelledError, TimeoutError
from twisted.internet.error import (
    ConnectingCancelledError,
    ConnectionClosed,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TCPTimedOutError,
)
from twisted.internet.error import TimeoutError as ConnectTimeoutError
from twisted.python.failure import Failure

from rapida_tw.errors import VendorFailed
from rapida_tw.net.base import Request
from rapida_tw.net.reasons import passing, reason_in, retry_after, without_secrets


def refused(
    request: Request, host: str, status: int, headers: Mapping[str, str], body: str
) -> VendorFailed:
    """A handshake that was answered with `status`. Names of headers are lower case."""
    reason = without_secrets(reason_in(body, headers), request)
    sentence = f"{host} refused: HTTP {status}"
    if reason:
        sentence += f", {reason}"
    return VendorFailed(sentence, status, passing(status), retry_after(headers))


def unreached(host: str, error: BaseException | None, sent: bool = True) -> VendorFailed:
    """No connection, or none any more before there was an answer; `sent` as of `VendorFailed`."""
    for why in causes(error):
        if isinstance(why, VendorFailed):
            return why
        if isinstance(why, VerificationError):
            why_not = f"{host} shows a certificate of another name"
            return VendorFailed(why_not, retryable=False, sent=sent)
        if isinstance(why, TLSError):
            trusted = not _untrusted(why)
            return VendorFailed(f"{host}: {_tls_reason(why)}", retryable=trusted, sent=sent)
    words = next((words for why in causes(error) for kind, words in _WORDS if _is(why, kind)), "")
    unknown = f"was not reached: {type(error).__name__}" if error else "was not reached"
    return VendorFailed(f"{host} {words or unknown}", sent=sent)


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (DNSLookupError, "was not found: its name is not known to DNS"),
    (ConnectionRefusedError, "was not reached: nothing listens there"),
    (NoRouteError, "was not reached: there is no route to it"),
    (TCPTimedOutError, "was not reached in time"),
    (TimeoutError, "was not reached in time"),
    (ConnectTimeoutError, "was not reached in time"),
    (ConnectingCancelledError, "was not reached in time"),
    (ConnectionClosed, "closed the connection without an answer"),
    (CancelledError, "was not reached in time"),
)


def _is(error: BaseException, kind: type[BaseException]) -> bool:
    return isinstance(error, kind)


def causes(error: BaseException | None) -> list[BaseException]:
    """The error and those in it: Twisted's client packs them into lists of failures."""
    if error is None:
        return []
    reasons = getattr(error, "reasons", ())
    inner = [one.value if isinstance(one, Failure) else one for one in reasons]
    return [error, *(cause for one in inner for cause in causes(one))]


def _tls_reason(error: TLSError) -> str:
    if _untrusted(error):
        return "its certificate is not trusted here"
    words = _tls_words(error)
    return f"TLS failed ({words})" if words else "TLS was cut off"


def _tls_words(error: TLSError) -> str:
    stack = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return ", ".join(entry[-1] for entry in stack if entry)


def _untrusted(error: TLSError) -> bool:
    return "certificate verify failed" in _tls_words(error)
