"""A carrier's HTTP request as the carriers see it, whatever its body is encoded as.

It is read before anybody knows who asks, and while calls are on the phone: so it is small, and
each way to read it takes a few milliseconds at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.errors import BadRequest
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.api import parse_json
from rapida_tw.web.request import MOST_FIELDS, BodyTooLarge, BoundedRequest, read_fields

LARGEST = 1 << 16  # bytes of a body; the longest that carriers document have a tenth of it


def read_webhook(request: BoundedRequest, address: PublicAddress) -> WebhookRequest:
    """`BodyTooLarge`; `BadRequest` for a body that is not what its Content-Type says."""
    request.check_size()
    if len(request.body) > LARGEST:
        raise BodyTooLarge(f"the body is larger than {LARGEST} bytes")
    form, document = _read_body(request)
    headers = request.requestHeaders.getAllRawHeaders()
    return WebhookRequest(
        request.method.decode("ascii"),
        request.path.decode("utf-8", "replace"),
        request.query,
        form,
        {
            name.decode("latin-1").lower(): values[-1].decode("utf-8", "replace")
            for name, values in headers
        },
        request.body,
        document,
        address.requested(request),
    )


def _read_body(request: BoundedRequest) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """Form and JSON object; a body of any other kind is left to the carrier."""
    kind, options = parse_options_header(request.header("content-type"))
    kind = kind.lower()
    if not request.body:
        return {}, {}
    if kind == "application/x-www-form-urlencoded":
        return read_fields(request.body), {}
    if kind == "multipart/form-data":
        return _read_parts(request.body, options.get("boundary", "")), {}
    if kind == "application/json" or kind.endswith("+json"):
        document = parse_json(request.body)
        if not isinstance(document, dict):
            raise BadRequest("the body must be a JSON object")
        return {}, document
    return {}, {}


def _read_parts(body: bytes, boundary: str) -> dict[str, str]:
    """The fields of a form by RFC 7578, each with its last value; files are passed over."""
    decoder = MultipartDecoder(boundary.encode(), max_parts=MOST_FIELDS)
    found: dict[str, bytearray] = {}
    value = bytearray()
    try:
        decoder.receive_data(body)
        decoder.receive_data(None)
        event = decoder.next_event()
        while not isinstance(event, Epilogue | NeedData):
            if isinstance(event, Field | File):
                value = bytearray()
                if isinstance(event, Field):
                    found[event.name] = value
            elif isinstance(event, Data):
                value += event.data
            event = decoder.next_event()
    except (ValueError, HTTPException) as error:
        raise BadRequest("the body is not multipart/form-data, or has too many parts") from error
    return {name: value.decode("utf-8", "replace") for name, value in found.items()}
