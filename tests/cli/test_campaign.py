"""`rapida campaign`, against a server that answers as it is told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapida_tw.cli import campaign as command
from rapida_tw.cli import campaign_calls
from rapida_tw.cli.campaign_calls import batches, read_csv
from rapida_tw.cli.source import Usage
from tests.cli.conftest import Rapida
from tests.client.server import Server, refused, success

KEY = "rpd-secret"
CREATE = ("campaign", "create", "--assistant", "5")
CALL = {
    "id": "1",
    "to": "+15550100",
    "from": "",
    "state": "waiting",
    "attempts": 1,
    "outcome": "busy",
    "conversationId": "77",
    "dueDate": "2026-01-01T00:00:00.000Z",
    "updatedDate": "2026-01-01T00:00:00.000Z",
}


def document(state: str = "running", **states: int) -> dict[str, Any]:
    return {
        "id": "9",
        "name": "Spring",
        "assistantId": "5",
        "state": state,
        "settings": {"callsPerSecond": 2},
        "createdDate": "2026-01-01T00:00:00.000Z",
        "progress": {
            "total": sum(states.values()),
            "states": states,
            "outcomes": {"remote_hangup": states.get("done", 0)},
        },
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(command, "PAUSE", 0)
    with Server() as one:
        yield one


def ask(rapida: Rapida, server: Server, *arguments: object) -> tuple[int, str, str]:
    return rapida(*arguments, "--url", server.url, "--api-key", KEY)


def test_create(rapida: Rapida, server: Server) -> None:
    """Everything that was given, and nothing that was not."""
    server.answers["POST", "/v1/campaigns"] = success(document(waiting=2))
    status, out, _ = ask(
        rapida,
        server,
        *(*CREATE, "--to", "+15550100", "+15550101", "--name", "Spring"),
        *("--per-second", "2", "--simultaneous", "5", "--from", "09:00", "--until", "18:00"),
        *("--time-zone", "Europe/Berlin", "--attempts", "3", "--retry-after", "600"),
    )
    assert status == 0
    assert out == "campaign 9 with 2 calls is running\nmore: rapida campaign show 9\n"
    assert server.asked[0][3].pop("idempotencyKey")
    assert server.asked[0][3] == {
        "assistantId": "5",
        "name": "Spring",
        "calls": ["+15550100", "+15550101"],
        "settings": {
            "callsPerSecond": 2.0,
            "simultaneous": 5,
            "hours": {"from": "09:00", "to": "18:00", "timeZone": "Europe/Berlin"},
            "retries": {"attempts": 3, "after": 600.0},
        },
    }
    ask(rapida, server, *CREATE, "--to", "+15550100")
    del server.asked[1][3]["idempotencyKey"]
    assert server.asked[1][3] == {"assistantId": "5", "calls": ["+15550100"]}


def test_file(rapida: Rapida, server: Server, tmp_path: Path) -> None:
    """Columns of the file are the calls' numbers and arguments."""
    server.answers["POST", "/v1/campaigns"] = success(document(waiting=3))
    path = tmp_path / "numbers.csv"
    path.write_text("\ufeffto,name\n+15550101,Ada\n", "utf-8")
    assert ask(rapida, server, *CREATE, "--file", path, "--to", "+15550100")[0] == 0
    ada = {"toNumber": "+15550101", "args": {"name": "Ada"}}
    assert server.asked[0][3]["calls"] == ["+15550100", ada]


def test_long_file(rapida: Rapida, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no request could hold is added by further ones, in order and once."""
    monkeypatch.setattr(campaign_calls, "_MOST_CALLS", 2)
    server.answers["POST", "/v1/campaigns"] = success(document(waiting=2))
    server.answers["POST", "/v1/campaigns/9/calls"] = success(document(waiting=5))
    status, out, _ = ask(rapida, server, *CREATE, "--to", "+11", "+12", "+13", "+14", "+15")
    assert (status, out.splitlines()[0]) == (0, "campaign 9 with 5 calls is running")
    calls = [body["calls"] for _, _, _, body in server.asked]
    assert calls == [["+11", "+12"], ["+13", "+14"], ["+15"]]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("to\n+1\n\n+2\n", ["+1", "+2"]),
        ("to;name\n+1;\n", ["+1"]),
        (' to , from ,name\n"+1", +9 ,"Ada, Lady"\n', None),
        ("to\r\n+1\r\n", ["+1"]),
        ("to\n", []),
    ],
)
def test_csv(text: str, calls: list[Any] | None) -> None:
    """As spreadsheets write it."""
    if calls is None:
        calls = [{"toNumber": "+1", "fromNumber": "+9", "args": {"name": "Ada, Lady"}}]
    assert read_csv(io.StringIO(text, newline=""), "a.csv") == calls


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "first line names"),
        ("+15550100\n", "first line names"),
        ("to,to\n+1,+2\n", "a name of its own"),
        ("to,\n+1,+2\n", "a name of its own"),
        ("to,name\n+1,Ada\n,Bob\n", "a.csv, line 3: has no number"),
        ("to\n+1,x\n", "line 2: has 2 cells"),
        ('to\n"+1\n', "line 2"),
    ],
)
def test_bad_csv(text: str, told: str) -> None:
    """The line, and what is wrong with it."""
    with pytest.raises(Usage, match=told):
        read_csv(io.StringIO(text, newline=""), "a.csv")


def test_not_utf8(rapida: Rapida, server: Server, tmp_path: Path) -> None:
    """Wrong usage, not a traceback; a file that is not there is 1."""
    path = tmp_path / "latin.csv"
    path.write_bytes(b"to,name\n+1,J\xfcrgen\n")
    status, _, err = ask(rapida, server, *CREATE, "--file", path)
    assert (status, "UTF-8" in err) == (2, True)
    assert ask(rapida, server, *CREATE, "--file", tmp_path / "none.csv")[0] == 1
    assert server.asked == []


def test_batches_by_bytes() -> None:
    """Long arguments make short batches."""
    calls: list[Any] = [{"toNumber": f"+{n}", "args": {"a": "x" * 100_000}} for n in range(12)]
    made = list(batches(calls))
    assert [len(one) for one in made] == [4, 4, 4]
    assert [call for batch in made for call in batch] == calls


def test_list(rapida: Rapida, server: Server) -> None:
    """A line for each."""
    server.answers["GET", "/v1/campaigns"] = success([document()])
    status, out, _ = ask(rapida, server, "campaign", "list")
    assert status == 0
    assert "Spring" in out
    found = rapida.json("campaign", "list", "--url", server.url, "--api-key", KEY)
    assert found == [document()]


def test_show(rapida: Rapida, server: Server) -> None:
    """How far it is."""
    server.answers["GET", "/v1/campaigns/9"] = success(document(waiting=1, done=2))
    status, out, _ = ask(rapida, server, "campaign", "show", 9)
    assert status == 0
    assert "3 (1 waiting, 2 done)" in out
    assert "2 remote_hangup" in out


def test_watch(rapida: Rapida, server: Server) -> None:
    """Each change once, until it is over."""
    server.script = [
        success(document(waiting=2)),
        success(document(waiting=2)),
        success(document(waiting=1, done=1)),
        success(document("finished", done=2)),
    ]
    status, out, _ = ask(rapida, server, "campaign", "show", 9, "--watch")
    assert status == 0
    assert out.splitlines()[:3] == [
        "running: 2 (2 waiting)",
        "running: 2 (1 waiting, 1 done)",
        "finished: 2 (2 done)",
    ]
    server.script = [success(document(waiting=2)), success(document("finished", done=2))]
    watch = ("campaign", "show", 9, "--watch", "--url", server.url, "--api-key", KEY)
    assert rapida.json(*watch)["state"] == "finished"


def test_calls(rapida: Rapida, server: Server) -> None:
    """Who is called, and how to see the others."""
    paginated = {"currentPage": 2, "totalItem": 5}
    server.answers["GET", "/v1/campaigns/9/calls"] = success([CALL], paginated=paginated)
    status, out, _ = ask(rapida, server, "campaign", "calls", 9, "--page", 2, "--count", 1)
    assert status == 0
    assert "+15550100" in out
    assert "busy" in out
    assert "and 3 more: --page 3" in out
    assert server.asked[0][1].endswith("?page=2&pageSize=1")


@pytest.mark.parametrize(
    ("verb", "state"), [("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")]
)
def test_steering(rapida: Rapida, server: Server, verb: str, state: str) -> None:
    """Each is one request; what is over cannot be changed: 1."""
    server.answers["POST", f"/v1/campaigns/9/{verb}"] = success(document(state))
    assert ask(rapida, server, "campaign", verb, 9)[:2] == (0, f"campaign 9 is {state}\n")
    server.answers["POST", f"/v1/campaigns/9/{verb}"] = success(document("finished"))
    assert ask(rapida, server, "campaign", verb, 9)[:2] == (1, "campaign 9 is finished\n")


def test_delete(rapida: Rapida, server: Server) -> None:
    """Gone; what is not there is 1."""
    server.answers["DELETE", "/v1/campaigns/9"] = success({"id": "9"})
    assert ask(rapida, server, "campaign", "delete", 9)[:2] == (0, "campaign 9 is deleted\n")
    server.answers["DELETE", "/v1/campaigns/9"] = refused(404, "not-found")
    assert ask(rapida, server, "campaign", "delete", 9)[0] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (*CREATE, "--api-key", KEY),  # nobody to call
        ("campaign", "create", "--to", "+1"),
        (*CREATE, "--to", "+1", "--per-second", "fast", "--api-key", KEY),
        ("campaign",),
        ("campaign", "show", "x"),
        ("campaign", "list"),  # no key
    ],
)
def test_usage(rapida: Rapida, arguments: tuple[str, ...]) -> None:
    """Wrong usage is 2."""
    status, out, err = rapida(*arguments)
    assert (status, out) == (2, "")
    assert "rapida" in err
