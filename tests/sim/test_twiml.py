from __future__ import annotations

import pytest

from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.phone import CallFailed
from rapida_tw.sim.twiml import Stream, read_twiml

ASKED = "https://x.test/v1/talk/twilio/call/1?x-api-key=k"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
URL = "wss://x.test/v1/talk/twilio/ctx/c"


def read(
    body: str, content_type: str = "text/xml", status: int = 200, *, tls: bool = True
) -> Stream:
    answer = HttpAnswer(status, {"content-type": content_type}, body.encode())
    return read_twiml(answer, ASKED, tls=tls)


def connect(attributes: str = f'url="{URL}"', parameters: str = "") -> str:
    stream = f"<Connect><Stream {attributes}>{parameters}</Stream></Connect>"
    return f"{HEAD}<Response>{stream}</Response>"


def test_stream() -> None:
    """Everything that a `<Stream>` can say is understood."""
    attributes = (
        f'url="{URL}" name="a__b" track="inbound_track"'
        ' statusCallback="https://x.test/event" statusCallbackMethod="get"'
    )
    parameters = '<Parameter name="a" value="&lt;1&gt; &amp; 2"/><Parameter name="b" value=""/>'
    assert read(connect(attributes, parameters)) == Stream(
        URL, "a__b", "https://x.test/event", "GET", {"a": "<1> & 2", "b": ""}
    )


def test_least() -> None:
    """The URL alone is enough; callbacks would be posted."""
    assert read(connect()) == Stream(URL)
    assert read(connect(), "application/xml; charset=utf-8").status_method == "POST"


def test_relative() -> None:
    """A URL may be relative to the document's own."""
    assert read(connect('url="/v1/talk/twilio/ctx/c"')).url == URL


def test_unknown_attribute() -> None:
    """What `<Stream>` does not know is warned of, and ignored."""
    stream = read(connect(f'url="{URL}" statusCallbackEvent="initiated"'))
    assert stream.warnings == ("12200: attribute 'statusCallbackEvent'",)


def test_said_first() -> None:
    """Something may be said before the stream."""
    before = f"{HEAD}<Response><Say>One moment</Say><Pause/>"
    assert read(connect().replace(f"{HEAD}<Response>", before)).url == URL


def test_without_tls() -> None:
    """ws is taken where it is said so, and nowhere else."""
    document = connect('url="ws://x.test/c"')
    assert read(document, tls=False).url == "ws://x.test/c"
    with pytest.raises(CallFailed, match="is not wss"):
        read(document)


RESPONSE = f"{HEAD}<Response>%s</Response>"
STREAM = f'<Stream url="{URL}"/>'
LONG = '<Parameter name="n" value="' + 499 * "v" + '"/>'
WRONG = [
    (connect(f'url="{URL}?a=b"'), "the query of the stream's URL would be lost"),
    (connect('url="https://x.test/c"'), "is not wss"),
    (connect('url="wss:///c"'), "has no host"),
    (connect('url="wss://x.test:port/c"'), "is malformed"),
    (connect(""), "without url"),
    (connect(f'url="{URL}" track="both_tracks"'), "31941: track 'both_tracks'"),
    (connect(f'url="{URL}" statusCallback="/event"'), "no absolute URL"),
    (connect(f'url="{URL}" statusCallbackMethod="PUT"'), "'PUT'"),
    (connect(parameters='<Parameter name="a"/>'), "without name or value"),
    (connect(parameters='<Parameter value="a"/>'), "without name or value"),
    (connect(parameters=LONG), "parameter 'n' has 500 characters"),
    (connect(parameters="<Dial/>"), "<Dial> in <Stream>"),
    (RESPONSE % "<Connect/>", "holds no single <Stream>"),
    (RESPONSE % f"<Connect>{STREAM}{STREAM}</Connect>", "holds no single <Stream>"),
    (RESPONSE % "<Say>Sorry</Say><Hangup/>", "ends the call: Sorry"),
    (RESPONSE % "", "ends the call: without a word"),
    (RESPONSE % '<Reject reason="busy"/>', "the call is rejected: busy"),
    (RESPONSE % "<Dial>+1555</Dial>", "<Dial> leads to no stream"),
    (f" {connect()}", "is no XML"),
    ("<Response>", "is no XML"),
    (f"{HEAD}<Answer/>", "<Answer> and not <Response>"),
]


@pytest.mark.parametrize(("document", "why"), WRONG)
def test_wrong(document: str, why: str) -> None:
    """What leads to no stream says why."""
    with pytest.raises(CallFailed, match=why):
        read(document)


def test_parameter_limit() -> None:
    """Name and value together have less than 500 characters."""
    assert len(read(connect(parameters=LONG.replace("vv", "v", 1))).parameters["n"]) == 498


def test_hangup_first() -> None:
    """What stands behind a `<Hangup>` is not reached."""
    with pytest.raises(CallFailed, match="ends the call"):
        read(connect().replace("<Connect>", "<Hangup/><Connect>"))


def test_answer() -> None:
    """Neither another status nor another type is taken."""
    with pytest.raises(CallFailed, match="HTTP 404: <"):
        read(connect(), status=404)
    with pytest.raises(CallFailed, match="text/plain and not XML"):
        read(connect(), "text/plain")
    with pytest.raises(CallFailed, match="of no type"):
        read(connect(), "")
