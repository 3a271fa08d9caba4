"""Twilio's side of an inbound call: the signed webhook, the TwiML, what is told of the call after.

Values only; who carries the requests is an `Exchange`, who speaks on the socket is in
twilio_media.py. Twilio's documents: "Twilio's Request to your Application", "<Stream>",
"Security".
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.http import HttpAnswer, HttpRequest, form
from rapida_tw.sim.phone import Ending, Reason
from rapida_tw.sim.twilio_media import TwilioMedia
from rapida_tw.sim.twiml import Stream, read_twiml

ANSWER_WITHIN = 15.0  # seconds for the webhook
# What a stream-error callback says; other endings are ordinary stops.
_STREAM_ERRORS = {Reason.BAD_FRAME: "31924", Reason.SERVER_FAILED: "31921"}


@dataclass(frozen=True, slots=True)
class TwilioNumber:
    """What is set in the console for a number: where its calls go, the key being in the URL.

    Without an `auth_token` nothing is signed. `status_url` gets the call's own end. `tls` False
    takes a `ws:` stream too, which Twilio does not.
    """

    voice_url: str = field(repr=False)
    method: str = "POST"
    auth_token: str = field(default="", repr=False)
    account_sid: str = "AC00000000000000000000000000000001"
    status_url: str = ""
    tls: bool = True


class TwilioCall:
    """A call to the number. `start_after`: seconds between the socket and its start message."""

    def __init__(
        self,
        number: TwilioNumber,
        caller: str = "+15550100001",
        callee: str = "+15550100002",
        start_after: float = 0.0,
        *,
        call_sid: str = "",
        direction: str = "inbound",
    ) -> None:
        self.call_sid = call_sid or new_sid("CA")
        self.stream_sid = new_sid("MZ")
        self.stream: Stream | None = None  # what the TwiML asked for
        self._number = number
        self._caller, self._callee = caller, callee
        self._start_after = start_after
        self._direction = direction
        self._began = 0.0

    def webhook(self, now: float) -> HttpRequest:
        self._began = now
        fields = {
            **self._fields("ringing"),
            "FromCity": "",
            "FromState": "",
            "FromZip": "",
            "FromCountry": "US",
            "CallToken": "%7B%22k%22%3A1%7D",
            "StirVerstat": "TN-Validation-Passed-A",
        }
        return self._signed(self._number.method, self._number.voice_url, fields)

    def invited(self, answer: HttpAnswer, now: float) -> Media:
        return self.streams(read_twiml(answer, self._number.voice_url, tls=self._number.tls))

    def streams(self, stream: Stream) -> Media:
        """The media of a `<Stream>` that was read."""
        number = self._number
        self.stream = stream
        dialect = TwilioMedia(
            number.account_sid,
            self.call_sid,
            self.stream_sid,
            stream.parameters,
            self._start_after,
        )
        headers = [("User-Agent", "Twilio.TmeWs/1.0")]
        if number.auth_token:
            headers.append(("X-Twilio-Signature", signature(number.auth_token, stream.url)))
        return Media(stream.url, dialect, headers)

    def started(self, now: float) -> Sequence[HttpRequest]:
        return self._stream_event("stream-started", now)

    def ended(self, ending: Ending, now: float) -> Sequence[HttpRequest]:
        error = _STREAM_ERRORS.get(ending.reason)
        if error:
            requests = self._stream_event("stream-error", now, StreamError=error)
        else:
            requests = self._stream_event("stream-stopped", now)
        if self._number.status_url:
            requests.append(self._completed(now))
        return requests

    # -- inside -----------------------------------------------------------------------------------

    def _stream_event(self, event: str, now: float, **more: str) -> list[HttpRequest]:
        stream = self.stream
        if stream is None or not stream.status_url:
            return []
        fields = {
            "AccountSid": self._number.account_sid,
            "CallSid": self.call_sid,
            "StreamSid": self.stream_sid,
            "StreamName": stream.name or self.stream_sid,
            "StreamEvent": event,
            "Timestamp": stamp(now),
            **more,
        }
        return [self._signed(stream.status_method, stream.status_url, fields)]

    def _completed(self, now: float) -> HttpRequest:
        seconds = round(now - self._began)
        fields = {
            **self._fields("completed"),
            "Timestamp": format_datetime(datetime.fromtimestamp(now, UTC)),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": "0",
            "CallDuration": str(seconds),
            "Duration": str(-(-seconds // 60)),  # minutes
            "SipResponseCode": "200",
        }
        return self._signed("POST", self._number.status_url, fields)

    def _fields(self, status: str) -> dict[str, str]:
        """What every request about the call says."""
        return {
            "CallSid": self.call_sid,
            "AccountSid": self._number.account_sid,
            "From": self._caller,
            "To": self._callee,
            "Caller": self._caller,
            "Called": self._callee,
            "CallStatus": status,
            "ApiVersion": "2010-04-01",
            "Direction": self._direction,
        }

    def _signed(self, method: str, url: str, fields: Mapping[str, str]) -> HttpRequest:
        return signed_form(method, url, fields, self._number.auth_token)


def new_sid(kind: str) -> str:
    """A name of Twilio's: its kind and 32 hexadecimal digits."""
    return f"{kind}{uuid4().hex}"


def signed_form(method: str, url: str, fields: Mapping[str, str], token: str) -> HttpRequest:
    """A request of Twilio's; without a token it is not signed."""
    headers = {"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}
    request = form(method, url, fields, headers)
    if not token:
        return request
    of_body = {} if method == "GET" else fields
    signed = signature(token, request.url, of_body)
    return form(method, url, fields, {**headers, "X-Twilio-Signature": signed})


def signature(token: str, url: str, fields: Mapping[str, str] | None = None) -> str:
    """X-Twilio-Signature: of the URL, and of a form's fields, which are sorted bytewise.

    Of https the port is left out, of other schemes it is not; nor is a user ever in it.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "https" and parts.port is not None:
        host = host.removesuffix(f":{parts.port}")
    text = urlunsplit(parts._replace(netloc=host))
    text += "".join(name + value for name, value in sorted((fields or {}).items()))
    return b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


def stamp(now: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


_conforms: type[FakeCarrier] = TwilioCall
