"""`rapida sim carrier` and a server process: calls are placed by it over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rapida_tw.sim.rest_carriers import REST_CARRIERS
from tests.process import ended, started
from tests.server.installation import Installation, script, until
from tests.server.process import ServerProcess, complaints

NUMBERS = {
    "twilio": ("+15550100001", "+15550100002"),
    "vonage": ("+15550100001", "+15550100002"),
    "exotel": ("+919800000001", "08000000002"),
}
DURATION = 0.5  # seconds that whoever is called talks


@contextmanager
def carrier(installation: Installation, name: str, *options: str) -> Iterator[dict[str, str]]:
    """The credential of one that runs."""
    printed, errors = installation.folder / f"{name}.out", installation.folder / f"{name}.err"
    where = ("--config", str(installation.configuration), "--json")
    told = (script("rapida"), "sim", "carrier", "--carrier", name, *options, *where)
    process = started(told, printed, errors, env=installation.environ())
    try:
        until(lambda: printed.read_text().endswith("}\n"), 20.0, errors.read_text)
        yield json.loads(printed.read_text())
    finally:
        ended(process)


def call(installation: Installation, name: str, fields: dict[str, str]) -> Any:
    """The conversation of a call that is placed, once it is over."""
    document = {"name": name, "provider": name, "value": fields}
    credential = installation.data_of("/v1/credentials", "POST", document)
    callee, number = NUMBERS[name]
    installation.deploy(
        greeting="Hello.",
        provider=name,
        credentialId=credential["id"],
        options={"phone": number},
    )
    order = {"assistantId": installation.assistant(), "toNumber": callee}
    placed = installation.data_of("/v1/calls", "POST", order)
    path = f"/v1/conversations/{placed['id']}"
    until(lambda: installation.data_of(path)["endReason"], 20.0, lambda: f"{name} has not ended")
    return installation.data_of(path)


def test_calls(tmp_path: Path) -> None:
    """By every carrier: answered, talked on, hung up by whoever was called; or busy."""
    installation = Installation(tmp_path, SERVER__PUBLIC_HOST="voice.example.com")
    with ServerProcess(installation) as server:
        ends = {}
        for name in REST_CARRIERS:
            answers = ("--answer-after", "0.1", "--talks", str(DURATION))
            with carrier(installation, name, *answers) as fields:
                ends[name] = call(installation, name, fields)["endReason"]
        with carrier(installation, "twilio", "--busy", "--answer-after", "0.1") as fields:
            busy = call(installation, "twilio", fields)
        server.terminate()
        assert server.status() == 0
    assert ends == dict.fromkeys(REST_CARRIERS, "remote_hangup")
    assert (busy["status"], busy["endReason"]) == ("failed", "busy")
    assert complaints(server.printed()) == []
