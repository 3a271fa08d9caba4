"""The examples of docs/client.rst run, in their order, against a server that answers them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.testing import MemoryReactorClock

from tests.client.server import Server, success

PAGE = Path(__file__).parents[2] / "docs/client.rst"
ID = "2000000000000000001"
MESSAGE = {"role": "user", "text": "hi"}
CONVERSATION = {
    "id": "9",
    "status": "ended",
    "identifier": "+15550100",
    "endReason": "remote_hangup",
    "metrics": [{"name": "call.status", "value": "completed"}],
    "messages": [MESSAGE],
}


def blocks() -> list[str]:
    """The code of the page, piece by piece."""
    found = re.findall(
        r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", PAGE.read_text(), re.MULTILINE
    )
    return [textwrap.dedent(one) for one in found]


def test_examples() -> None:
    """What people copy works."""
    with Server() as server:
        server.answers.update(
            {
                ("POST", "/v1/calls"): success({**CONVERSATION, "status": "queued"}),
                ("GET", "/v1/calls"): success([{"id": "9"}]),
                ("GET", "/v1/conversations"): success([CONVERSATION]),
                ("GET", "/v1/conversations/9"): success(CONVERSATION),
                ("POST", "/v1/credentials"): success({"id": "3"}),
                ("POST", "/v1/assistants"): success({"id": ID}),
                ("PUT", f"/v1/assistants/{ID}/phone-deployment"): success({"provider": "twilio"}),
                **{
                    ("POST", f"/v1/calls/9/{action}"): success({"id": "9"})
                    for action in ("say", "hold", "dtmf", "transfer", "hangup")
                },
            }
        )
        names: dict[str, Any] = {}
        printed: list[tuple[object, ...]] = []
        names["print"] = lambda *what: printed.append(what)
        for code in blocks():
            exec(code.replace("http://localhost:9007", server.url), names)
        assert ("9", "queued") in printed
        assert ("ended", "completed") in printed
        assert ("9", "+15550100", "remote_hangup") in printed
        asked = [(method, path.partition("?")[0]) for method, path, _, _ in server.asked]
        assert set(asked) == set(server.answers)


def test_deferred_example() -> None:
    """The last one connects, and is cancelled without a trace."""
    names: dict[str, Any] = {}
    exec(blocks()[-1].replace("localhost", "127.0.0.1"), names)
    reactor = MemoryReactorClock()
    placing = Deferred.fromCoroutine(names["place"](reactor))
    assert [client[:2] for client in reactor.tcpClients] == [("127.0.0.1", 9007)]
    placing.addErrback(lambda failure: failure.trap(CancelledError))
    placing.cancel()
    assert placing.called
    assert not reactor.getDelayedCalls()
