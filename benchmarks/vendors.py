"""Calls whose recogniser, model and voice are vendors': `python -m benchmarks.vendors`.

The server has one core; callers and the vendors' fakes share another. Each caller asks a question
every eight seconds. What counts: every question is answered, and no call is late for it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.calls import GeneratorFailed, Plan, load_row, run_generator
from benchmarks.report import Report
from benchmarks.server import Server, ServerFailed, Target, send
from benchmarks.vendor_fakes import KEY, QUESTION

_TALK, _EVERY = 1.2, 8.0  # seconds
_WRITTEN_WITHIN = 4.0  # seconds for the journal, after the last call
_PAGE = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, or 1 with a sentence on standard error."""
    parser = ArgumentParser("benchmarks.vendors", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--transport", default="audiosocket")
    parser.add_argument("--seconds", type=float, default=24.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    cores = sorted(os.sched_getaffinity(0))
    plan = replace(Plan(), seconds=options.seconds, core=cores[-1])
    report = Report(sys.stdout, options.json)
    for calls in options.calls:
        try:
            with (
                TemporaryDirectory(prefix="rapida-bench-") as folder,
                _fakes(cores[-1]) as port,
                Server(Path(folder), cores[0]) as target,
            ):
                report.add(_measure(options.transport, calls, target, port, plan))
        except (ServerFailed, GeneratorFailed, OSError) as error:
            print(f"{calls} calls: {error}", file=sys.stderr)
            return 1
    return 0


def _measure(
    transport: str, calls: int, target: Target, port: int, plan: Plan
) -> dict[str, object]:
    assistant = _assistant(target, port)
    more = ("--assistant", assistant, "--talk", str(_TALK), "--every", str(_EVERY), "--settle", "6")
    result = run_generator(transport, target, plan, calls, *more)
    time.sleep(_WRITTEN_WITHIN)
    asked, answered, latencies = _turns(target, assistant)
    row = load_row("vendors", result)
    return {
        "transport": transport,
        **row,
        "asked": asked,
        "answered": answered,
        "latency_p50_ms": round(median(latencies), 1) if latencies else None,
        "latency_max_ms": round(max(latencies), 1) if latencies else None,
    }


def _turns(target: Target, assistant: str) -> tuple[int, int, list[float]]:
    """Questions, answers to them, and milliseconds between both, of all calls.

    A question of the last moments of a call is none: the caller hung up before the answer.
    """
    asked = answered = 0
    latencies: list[float] = []
    for conversation in _conversations(target, assistant):
        said = [one for one in conversation["messages"] if one["role"] in ("user", "assistant")]
        while said and said[-1]["role"] == "user":
            said.pop()
        asked += sum(one["role"] == "user" and one["text"] != "" for one in said)
        answered += sum(one["role"] == "assistant" for one in said)
        metrics = conversation["metrics"]
        latencies += [float(one["value"]) for one in metrics if one["name"] == "turn.latency"]
    return asked, answered, latencies


def _conversations(target: Target, assistant: str) -> Iterator[Mapping[str, Any]]:
    page = 1
    while True:
        path = f"/v1/conversations?page={page}&pageSize={_PAGE}&assistantId={assistant}"
        listed = _get(target, path)["data"]
        for one in listed:
            yield _get(target, f"/v1/conversations/{one['id']}")["data"]
        if len(listed) < _PAGE:
            return
        page += 1


def _get(target: Target, path: str) -> Any:
    request = Request(target.url + path, headers={"x-api-key": target.api_key})
    with urlopen(request, timeout=10) as response:
        return json.load(response)


def _assistant(target: Target, port: int) -> str:
    """One that hears, thinks and speaks with the fakes; its id."""

    def credential(vendor: str, fake: str) -> str:
        value = {"key": KEY, "base_url": f"http://127.0.0.1:{port}/{fake}"}
        made = {"name": vendor, "provider": vendor, "value": value}
        answer = send("POST", f"{target.url}/v1/credentials", target.api_key, made)
        return str(answer["data"]["id"])

    model = {
        "provider": "openai",
        "credentialId": credential("openai", "openai_chat/v1"),
        "options": {"model.name": "gpt-4.1-mini"},
        "prompt": [{"role": "system", "content": f"Whoever asks {QUESTION!r} is told."}],
    }
    made = send(
        "POST", f"{target.url}/v1/assistants", target.api_key, {"name": "remote", "model": model}
    )
    assistant = str(made["data"]["id"])
    deployment = {
        "idleTimeout": 600,
        "maxCallDuration": 3_600,
        "recording": False,
        "vad": {"provider": "energy"},
        "stt": {"provider": "deepgram", "credentialId": credential("deepgram", "deepgram")},
        "tts": {
            "provider": "elevenlabs",
            "credentialId": credential("elevenlabs", "elevenlabs_voice"),
            "options": {"voice.id": "21m00Tcm4TlvDq8ikWAM"},
        },
    }
    path = f"{target.url}/v1/assistants/{assistant}/phone-deployment"
    send("PUT", path, target.api_key, deployment)
    return assistant


@contextmanager
def _fakes(core: int) -> Iterator[int]:
    """Their port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.vendor_fakes"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        assert process.stdout is not None
        yield int(json.loads(process.stdout.readline())["port"])
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
