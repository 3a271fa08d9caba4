"""Exotel's side of a call: the Voicebot applet asks where to go, and other applets tell afterwards.

Written from Exotel's developer pages and traffic ("Voicebot applet", "Passthru applet", "Status
callback"). Nothing is signed. Who speaks on the socket is in exotel_media.py.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlsplit, urlunsplit
from uuid import uuid4

from rapida_tw.sim.carrier import FakeCarrier, Media
from rapida_tw.sim.exotel_media import PCM_8K, ExotelMedia, Profile
from rapida_tw.sim.http import HttpAnswer, HttpRequest, form
from rapida_tw.sim.phone import CallFailed, Ending, Reason

_INDIA = timedelta(hours=5, minutes=30)  # all stamps, without a zone
_HEADERS = {"Accept": "*/*"}
_BOUNDARY = "------------------------d74496d66958873e"  # of a status callback's parts
_MOST_PARAMETERS, _LONGEST_PARAMETERS = 3, 256  # of the stream's URL: number, characters
_BY_CALLER = frozenset((Reason.CALLER_HUNG_UP, Reason.CUT, Reason.RESET))


@dataclass(frozen=True, slots=True)
class Flow:
    """A call flow of the dashboard: Voicebot, then Passthru. Its repr shows no key.

    `voicebot_url` is asked with GET; where the applet has the media socket itself, see
    `ExotelCall.dialled`. `passthru_url` and `status_url` are told when the stream and the call are
    over; "" = nobody is.
    """

    voicebot_url: str = field(repr=False)
    passthru_url: str = field(default="", repr=False)
    status_url: str = field(default="", repr=False)
    profile: Profile = PCM_8K
    strict: bool = False  # messages of less than 3200 bytes are not played
    account_sid: str = "exotel1"


class ExotelCall:
    """A call to the flow's ExoPhone. Numbers are national, with the 0 in front."""

    def __init__(
        self,
        flow: Flow,
        caller: str = "09800000001",
        callee: str = "08000000002",
        call_sid: str = "",
        *,
        direction: str = "incoming",
        custom_field: str = "",
    ) -> None:
        """`custom_field`: what a call that was placed by REST carries with it."""
        self.call_sid = call_sid or uuid4().hex
        self.stream_sid = uuid4().hex
        self._flow = flow
        self._caller = caller
        self._callee = callee
        self._direction = direction
        self._custom = {"CustomField": custom_field} if custom_field else {}
        self._stream_url = ""
        self._began = 0.0

    def webhook(self, now: float) -> HttpRequest:
        fields = {
            "CallSid": self.call_sid,
            "CallFrom": self._caller,
            "CallTo": self._callee,
            "Direction": self._direction,
            "Created": format_datetime(_local(now)).rpartition(" ")[0],
            "DialWhomNumber": "",
            "HangupLatencyStartTimeExocc": "",
            "HangupLatencyStartTime": "",
            "ServerCode": "",
            "From": self._caller,
            "To": "09500000003",  # the number behind the ExoPhone
            "CurrentTime": india(now),
            **self._custom,
        }
        return form("GET", self._flow.voicebot_url, fields, _HEADERS)

    def invited(self, answer: HttpAnswer, now: float) -> Media:
        if answer.status != 200:
            raise CallFailed(f"the Voicebot's URL: {answer.reason}")
        try:
            document = json.loads(answer.body)
        except ValueError as error:
            raise CallFailed(f"the Voicebot's URL answers no JSON: {error}") from None
        url = document.get("url") if isinstance(document, dict) else None
        if not isinstance(url, str):
            raise CallFailed(f"no url in {answer.text[:80]!r}")
        return self.dialled(url)

    def dialled(self, url: str) -> Media:
        """The media socket of that address; `CallFailed` for one that Exotel does not take."""
        parts = urlsplit(url)
        if parts.scheme not in ("wss", "ws") or not parts.hostname:
            raise CallFailed(f"no WebSocket's address: {url!r}")
        query = dict(parse_qsl(parts.query))
        given = {name: value for name, value in query.items() if name != "sample-rate"}
        size = sum(len(name) + len(value) for name, value in given.items())
        if len(given) > _MOST_PARAMETERS or size > _LONGEST_PARAMETERS:
            raise CallFailed(f"{len(given)} custom parameters of {size} characters")
        self._stream_url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        headers: tuple[tuple[str, str], ...] = ()
        if parts.username is not None:
            user = f"{parts.username}:{parts.password or ''}".encode()
            headers = (("Authorization", f"Basic {b64encode(user).decode()}"),)
        flow = self._flow
        told = {
            "stream_sid": self.stream_sid,
            "call_sid": self.call_sid,
            "account_sid": flow.account_sid,
            "from": self._caller,
            "to": self._callee,
        }
        dialect = ExotelMedia(flow.profile, told, given, strict=flow.strict)
        return Media(self._stream_url, dialect, headers)

    def started(self, now: float) -> Sequence[HttpRequest]:
        """Nobody is told."""
        self._began = now
        return ()

    def ended(self, ending: Ending, now: float) -> Sequence[HttpRequest]:
        """The flow goes on with its Passthru, and when it is over the call's status is told."""
        reports = []
        if self._flow.passthru_url:
            reports.append(self._passthru(ending, now))
        if self._flow.status_url:
            fields = {
                "CallSid": self.call_sid,
                "DateUpdated": india(now),
                "Status": "completed",
                "RecordingUrl": "",
                "EventType": "terminal",
                "Direction": "inbound",
                "From": self._caller,
                "To": self._callee,
                "ConversationDuration": str(round(now - self._began)),
                "Legs[0][OnCallDuration]": str(round(now - self._began)),
                "Legs[0][Status]": "completed",
            }
            reports.append(multipart(self._flow.status_url, fields))
        return reports

    def _passthru(self, ending: Ending, now: float) -> HttpRequest:
        by_caller = ending.reason in _BY_CALLER
        fields = {
            "CallSid": self.call_sid,
            "CallFrom": self._caller,
            "CallTo": self._callee,
            "Direction": self._direction,
            "CallType": "call-attempt",
            "CurrentTime": india(now),
            "Stream[StreamSID]": self.stream_sid,
            "Stream[Status]": "cancelled" if by_caller else "completed",
            "Stream[Duration]": str(round(now - self._began)),
            "Stream[StreamUrl]": self._stream_url,
            "Stream[DisconnectedBy]": "user" if by_caller else "bot",
            **self._custom,
        }
        return form("GET", self._flow.passthru_url, fields, _HEADERS)


def multipart(url: str, fields: Mapping[str, str]) -> HttpRequest:
    """RFC 7578."""
    lines: list[str] = []
    for name, value in fields.items():
        head = f'Content-Disposition: form-data; name="{name}"'
        lines += [f"--{_BOUNDARY}", head, "", value]
    body = "\r\n".join((*lines, f"--{_BOUNDARY}--", "")).encode()
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    return HttpRequest("POST", url, {"Content-Type": kind}, body)


def _local(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC) + _INDIA


def india(now: float) -> str:
    """A stamp of Exotel's."""
    return _local(now).isoformat(" ", "seconds")[:-6]


_conforms: type[FakeCarrier] = ExotelCall
