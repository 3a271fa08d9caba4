"""schemathesis reads /openapi.json and holds a running server to each word of it.

All of its checks, over requests that the document allows and such that it does not, one by one and
in sequences; what the contract has otherwise is in schemathesis.toml.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.interop.server import Server

SETTINGS = Path(__file__).with_name("schemathesis.toml")
SECONDS = 75  # for all requests
EXAMPLES = 10  # of each operation and kind


def test_true(tmp_path: Path) -> None:
    """Nothing is answered that the document does not say, and nothing breaks the server."""
    with Server(tmp_path) as server:
        server.context("+15550100")  # a conversation, so that there is something to look at
        (conversation,) = server.data("/v1/conversations")
        command = [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(SETTINGS)),
            *("run", f"{server.url}/openapi.json", "--header", f"x-api-key: {server.api_key}"),
            *("--max-examples", str(EXAMPLES), "--max-time", str(SECONDS), "--no-color"),
        ]
        if os.environ.get("CI"):  # the same requests each time
            command += ["--seed", "6"]
        environ = {**os.environ, "CONVERSATION": conversation["id"]}
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-20_000:]
        log = server.log()
        assert "Traceback" not in log
        assert server.text("/healthz/")
        assert server.api_key not in log
