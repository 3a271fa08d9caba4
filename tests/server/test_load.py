"""`rapida sim load` against a server process, by each way to call it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

from rapida_tw.sim.load_wires import TRANSPORTS
from tests.server.installation import Installation, script, sip
from tests.server.process import ServerProcess, complaints

CALLS = 5


def test_load(tmp_path: Path) -> None:
    """All calls are set up, spoken to and last; the server sees so many by each carrier."""
    installation = Installation(tmp_path, **sip())
    with ServerProcess(installation) as server:
        installation.deploy(greeting="Hello, here I am. " * 20, greetingInterruptible=False)
        assistant = installation.assistant()

        def load(transport: str) -> CompletedProcess[str]:
            where = ("--config", str(installation.configuration), "--assistant", assistant)
            what = ("--transport", transport, "--calls", str(CALLS), "--seconds", "0.5", "--json")
            return installation.run(script("rapida"), "sim", "load", *where, *what)

        with ThreadPoolExecutor() as at_once:
            done = dict(zip(TRANSPORTS, at_once.map(load, TRANSPORTS), strict=True))
        lines = installation.request("/metrics").body.decode().splitlines()
        server.terminate()
        assert server.status() == 0
    for transport, one in done.items():
        assert one.returncode == 0, (transport, one.stderr)
        outcome = json.loads(one.stdout)
        assert (outcome["calls"], outcome["ended_early"]) == (CALLS, 0)
        assert outcome["pacing"]["packets"] > 15 * CALLS  # of 25 a call in half a second
    for carrier in ("asterisk", "twilio", "vonage", "sip"):
        assert f'rapida_calls_total{{carrier="{carrier}"}} {CALLS}' in lines
    assert complaints(server.printed()) == []
