"""What a request can end in, for a program to tell apart."""

from __future__ import annotations


class RapidaError(Exception):
    """Any failure. `code`: the server's number or slug, "" when it did not answer."""

    def __init__(self, message: str, code: str = "", status: int = 0) -> None:
        """`status`: the HTTP status, 0 when there is none."""
        super().__init__(message)
        self.code = code
        self.status = status


class ConnectionFailed(RapidaError):
    """No whole answer came. `sent`: the server may have got the request, and acted upon it."""

    def __init__(self, message: str, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class BadRequestError(RapidaError):
    """The request is wrong; the text says what."""


class AuthenticationError(RapidaError):
    """The API key is missing or unknown, or may not do that."""


class NotFoundError(RapidaError):
    """There is no such thing in the key's project."""


class ConflictError(RapidaError):
    """It cannot be done to this one: its carrier cannot, or an idempotency key is used twice."""


class RateLimitError(RapidaError):
    """Too much at once. `retry_after`: seconds to wait."""

    def __init__(self, message: str, code: str = "", retry_after: float = 1.0) -> None:
        super().__init__(message, code, 429)
        self.retry_after = retry_after


class CallNotStartedError(RapidaError):
    """A call was not placed. `conversation_id`: where that is remembered; None: it went not so far.

    `code` is the contract's number: 1002003 (number), 1002004 (assistant), 1002008 (not started)...
    """

    def __init__(
        self, message: str, code: str, status: int, conversation_id: str | None = None
    ) -> None:
        super().__init__(message, code, status)
        self.conversation_id = conversation_id


class ServerError(RapidaError):
    """The server failed, is full or stops, or something else answers in its place."""
