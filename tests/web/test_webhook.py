"""A carrier's request, whatever its body is encoded as."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.carriers.base import WebhookRequest
from rapida_tw.errors import BadRequest
from rapida_tw.web.address import PublicAddress
from rapida_tw.web.peer import Proxies
from rapida_tw.web.request import BodyTooLarge
from rapida_tw.web.webhook import LARGEST, read_webhook
from tests.web.asking import asking

ADDRESS = PublicAddress("voice.example", "https", Proxies())
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
PARTS = "multipart/form-data; boundary=frontier"


def read(body: bytes, kind: str, target: bytes = b"/x", method: bytes = b"POST") -> WebhookRequest:
    headers = [("Content-Type", kind)] if kind else []
    return read_webhook(asking(target, headers, body, method), ADDRESS)


def part(name: str, value: bytes, more: str = "") -> bytes:
    return (
        f'--frontier\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()
        + value
        + b"\r\n"
    )


END = b"--frontier--\r\n"


@pytest.mark.parametrize(
    ("kind", "body", "form"),
    [
        (FORM, b"From=%2B1555&To=&A=1&A=2", {"From": "+1555", "To": "", "A": "2"}),
        (f"{FORM}; charset=UTF-8", b"Body=h%C3%A9", {"Body": "hé"}),
        (FORM.upper(), b"a=b+c", {"a": "b c"}),
        (f"{FORM}; charset=iso-8859-1", b"Body=h\xe9", {"Body": "h\N{REPLACEMENT CHARACTER}"}),
        (
            PARTS,
            part("CallSid", b"C1") + part("Status", b"") + END,
            {"CallSid": "C1", "Status": ""},
        ),
        (PARTS, part("a", b"1") + part("a", b"2") + END, {"a": "2"}),
        (PARTS, part("a", b"x\r\ny") + END, {"a": "x\r\ny"}),
        (PARTS, part("Legs[0][Status]", "é".encode()) + END, {"Legs[0][Status]": "é"}),
        (PARTS, part("f", b"secret", '; filename="x.wav"') + part("a", b"1") + END, {"a": "1"}),
        ('multipart/form-data; boundary="frontier"', part("a", b"1") + END, {"a": "1"}),
        ("text/plain", b"From=1", {}),
        ("", b"From=1", {}),
        (FORM, b"", {}),
        (PARTS, b"", {}),
    ],
)
def test_forms(kind: str, body: bytes, form: dict[str, str]) -> None:
    """Fields by name, the last value of each; files and other bodies are passed over."""
    webhook = read(body, kind)
    assert (webhook.form, webhook.json, webhook.body) == (form, {}, body)


@pytest.mark.parametrize("kind", [JSON, "Application/JSON; charset=utf-8", "a/b+json"])
def test_json(kind: str) -> None:
    """An object's values as they are; they are found by name like a form's."""
    webhook = read(b'{"from": "1555", "n": 1, "to": [{"a": null}]}', kind)
    assert webhook.json == {"from": "1555", "n": 1, "to": [{"a": None}]}
    assert (webhook.value("from"), webhook.value("n"), webhook.form) == ("1555", "1", {})


def test_get() -> None:
    """A GET whose client names a content type has a query all the same."""
    webhook = read(b"", JSON, b"/x?from=%2B1&uuid=u", b"GET")
    assert webhook.query == {"from": "+1", "uuid": "u"}
    assert (webhook.method, webhook.json) == ("GET", {})


def test_the_rest() -> None:
    """Names of headers are lower case, the URL is the public one, the path is the raw one."""
    headers = [("X-Twilio-Signature", "abc="), ("X-Two", "1"), ("X-Two", "2")]
    webhook = read_webhook(asking(b"/a%20b?c=d", headers), ADDRESS)
    assert webhook.url == "https://voice.example/a%20b?c=d"
    assert webhook.path == "/a%20b"
    assert webhook.headers["x-twilio-signature"] == "abc="
    assert webhook.headers["x-two"] == "2"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b"{"),
        (JSON, b"[]"),
        (JSON, b'"x"'),
        (JSON, b'{"a": NaN}'),
        (JSON, b'{"a": "\xff"}'),
        (JSON, b'{"a":' * 9_000),
        (PARTS, b"From=1"),
        (PARTS, part("a", b"1")),  # without its end
        (PARTS, b"--frontier\r\n\r\n1\r\n" + END),
        ("multipart/form-data", part("a", b"1") + END),
        (PARTS, b"".join(part(str(n), b"") for n in range(300)) + END),
        (FORM, b"&".join([b"a=1"] * 300)),
    ],
)
def test_malformed(kind: str, body: bytes) -> None:
    """A body that is not what it says, or too much of it, is the sender's mistake."""
    with pytest.raises(BadRequest):
        read(body, kind)


def test_large() -> None:
    """A body that no carrier would send is refused before it is looked at."""
    read(b"a=" + b"x" * (LARGEST - 2), FORM)
    for size in (LARGEST - 1, 1 << 20, 1 << 21):
        with pytest.raises(BodyTooLarge):
            read(b"a=" + b"x" * size, FORM)


@given(st.binary(max_size=400), st.sampled_from([FORM, PARTS, JSON]))
def test_garbage(body: bytes, kind: str) -> None:
    """Whatever comes is read or refused, and nothing else is raised."""
    with suppress(BadRequest):
        read(body, kind)


@given(st.dictionaries(st.text("abc[]", min_size=1), st.text(), max_size=5))
def test_the_same(fields: dict[str, str]) -> None:
    """A multipart form and a JSON object say what was put into them."""
    parts = b"".join(part(name, value.encode()) for name, value in fields.items())
    if fields:
        assert read(parts + END, PARTS).form == fields
    wanted: dict[str, Any] = {name: value.replace("\0", "") for name, value in fields.items()}
    assert read(json.dumps(wanted).encode(), JSON).json == wanted
