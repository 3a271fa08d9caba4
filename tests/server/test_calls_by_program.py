"""Programs and people place, follow and steer calls at a server: the client, `rapida call`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapida_tw.client import BadRequestError, CallNotStartedError, NotFoundError, Rapida
from tests.server.installation import Installation, script, until
from tests.server.process import ServerProcess
from tests.server.test_sim_carrier import carrier

CALLEE, NUMBER = "+15550100001", "+15550100002"
PATIENT = ("--answer-after", "0.1", "--talks", "60")
BRIEF = ("--answer-after", "0.1", "--talks", "0.5")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("program"), SERVER__PUBLIC_HOST="voice.example.com")
    with ServerProcess(made) as server:
        yield made
        server.terminate()
        assert server.status() == 0


@pytest.fixture(scope="module")
def rapida(installation: Installation) -> Rapida:
    installation.data_of("/v1/assistants")  # its key is known from then on
    return Rapida(installation.api_key, f"http://127.0.0.1:{installation.http}")


def deployed(rapida: Rapida, assistant_id: str, fields: dict[str, str]) -> None:
    account = rapida.credentials.create("Main", "twilio", fields)
    rapida.deployments.set(
        assistant_id,
        provider="twilio",
        credentialId=account.id,
        options={"phone": NUMBER},
        greeting="Hello.",
    )


def command(installation: Installation, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [script("rapida"), *arguments, "--config", str(installation.configuration)],
        env={**installation.environ(), "RAPIDA_API_KEY": installation.api_key},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def test_command(installation: Installation, rapida: Rapida) -> None:
    """`rapida call --wait`: 0 for a call that was talked on, 1 for a line that is busy."""
    assistant = installation.assistant()
    call = ("call", "--assistant", assistant, "--to", CALLEE, "--wait")
    with carrier(installation, "twilio", *BRIEF) as fields:
        deployed(rapida, assistant, fields)
        status, out, err = command(installation, *call)
        assert (status, err) == (0, "")
        assert "is queued" in out
        assert "assistant: Hello." in out
        assert "completed (remote_hangup)" in out
    with carrier(installation, "twilio", "--busy", "--answer-after", "0.1") as fields:
        deployed(rapida, assistant, fields)
        status, out, _ = command(installation, *call, "--json")
        assert status == 1
        assert json.loads(out)["endReason"] == "busy"


def test_steering(installation: Installation, rapida: Rapida) -> None:
    """A call that is placed by the client is seen, spoken into and ended."""
    assistant = installation.assistant()
    with carrier(installation, "twilio", *PATIENT) as fields:
        deployed(rapida, assistant, fields)
        placed = rapida.calls.create(assistant, CALLEE, metadata={"order": "17"})
        again = rapida.calls.create(assistant, CALLEE, idempotency_key="once")
        assert rapida.calls.create(assistant, CALLEE, idempotency_key="once").id == again.id
        ids = {placed.id, again.id}
        until(
            lambda: {one.id for one in rapida.calls.list()} == ids,
            20.0,
            lambda: str(rapida.calls.list()),
        )
        live = rapida.calls.get(placed.id)
        assert (live.direction, live.carrier) == ("outbound", "twilio")
        assert CALLEE in command(installation, "calls", "list")[1]
        rapida.calls.say(placed.id, "One moment.")
        rapida.calls.send_digits(placed.id, "12#")
        assert command(installation, "calls", "hangup", again.id)[0] == 0
        rapida.calls.hang_up(placed.id)
        conversation = over(rapida, placed.id)
    assert conversation.metadata["order"] == "17"
    assert conversation.identifier == CALLEE
    listed = rapida.conversations.list(
        direction="outbound", criteria=[("identifier", "like", CALLEE[3:])]
    )
    assert ids <= {one.id for one in listed}
    with pytest.raises(NotFoundError):
        rapida.calls.get(placed.id)


_SCRIPT = """
import sys
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from rapida_tw.client import CallNotStartedError
from rapida_tw.client.twisted import Rapida

async def main(reactor):
    rapida = Rapida(api_key=sys.argv[2], url=sys.argv[1])
    made = await rapida.assistants.create("Deferred")
    page = await rapida.assistants.list()
    print(page.items[0].id == made.id, (await rapida.assistants.get(made.id)).name)
    try:
        await rapida.calls.create(made.id, "+15550100001")
    except CallNotStartedError as error:
        print(error.code)

react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
"""


def test_deferred(rapida: Rapida, installation: Installation) -> None:
    """The client with Deferreds, in a program of its own with a reactor of its own."""
    url = f"http://127.0.0.1:{installation.http}"
    told = [sys.executable, "-c", _SCRIPT, url, installation.api_key]
    done = subprocess.run(told, capture_output=True, text=True, check=False, timeout=30)
    assert (done.stdout.split(), done.stderr) == (["True", "Deferred", "1002008"], "")


def over(rapida: Rapida, conversation_id: str) -> Any:
    until(
        lambda: rapida.conversations.get(conversation_id).is_over,
        20.0,
        lambda: str(rapida.conversations.get(conversation_id).data),
    )
    return rapida.conversations.get(conversation_id)


def test_failures(installation: Installation, rapida: Rapida, tmp_path: Path) -> None:
    """Numbers of the contract, as exceptions and as sentences."""
    with pytest.raises(CallNotStartedError) as nobody:
        rapida.calls.create("5", CALLEE)
    assert (nobody.value.code, nobody.value.status) == ("1002004", 400)
    with pytest.raises(CallNotStartedError) as number:
        rapida.calls.create(installation.assistant(), "nobody at all")
    assert number.value.code == "1002003"
    with pytest.raises(BadRequestError):
        rapida.conversations.list(criteria=[("node", "=", "1")])
    lone = rapida.assistants.create("Lone")
    status, _, err = command(installation, "call", "--assistant", lone.id, "--to", CALLEE)
    assert status == 1
    assert "(1002008)" in err
