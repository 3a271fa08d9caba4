"""`rapida doctor --vendor NAME`: one vendor, tried with its stored credential, step by step."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rapida_tw.account import Account
from rapida_tw.audio.format import Samples
from rapida_tw.cli.local import configuration
from rapida_tw.cli.opening import local
from rapida_tw.cli.output import Output
from rapida_tw.cli.reacting import run as run_reactor
from rapida_tw.cli.source import Usage
from rapida_tw.cli.vendor_trial import SENTENCE, Step, Tell, Trial
from rapida_tw.demo.voice import speak_lines
from rapida_tw.log import wall_clock
from rapida_tw.models.base import ModelProvider
from rapida_tw.net.service import RealNet
from rapida_tw.speech.base import Host, RecognizerProvider, Registry, SynthesizerProvider

_PREFIXES = {"recognizers": "listen.", "synthesizers": "speak.", "models": "model."}


def run_vendor(arguments: Namespace, out: Output) -> int:
    name: str = arguments.vendor
    config = configuration(arguments)
    with local(arguments, "doctor --vendor") as books:
        account = books.account(name, arguments.credential)
    options = _options(arguments.option)
    steps: list[Step] = []

    def tell(step: Step) -> None:
        steps.append(step)
        out.line(_line(step))

    async def work(reactor: Any) -> None:
        net = RealNet(reactor)
        host = Host(reactor, config.server.data_dir, net, now=wall_clock)
        try:
            await _try_all(host, name, account, options, arguments.part, tell)
        finally:
            await net.stop()

    run_reactor(work)
    if out.json:
        ok = all(step.ok for step in steps)
        out.document({"ok": ok, "steps": [asdict(step) for step in steps]}, "")
    return 0 if all(step.ok for step in steps) else 1


async def _try_all(
    host: Host,
    name: str,
    account: Account,
    options: Mapping[str, Mapping[str, str]],
    only: str | None,
    tell: Tell,
) -> None:
    """Each kind of plug-in that has the name; `Usage` when none has."""
    hears = Registry[RecognizerProvider]("rapida_tw.recognizers", host)
    speaks = Registry[SynthesizerProvider]("rapida_tw.synthesizers", host)
    thinks = Registry[ModelProvider]("rapida_tw.models", host)
    registries: Sequence[Registry[Any]] = (hears, speaks, thinks)
    if not any(name in registry.names() for registry in registries):
        known = sorted({one for registry in registries for one in registry.names()})
        raise Usage(f"no vendor named {name!r}; installed: {', '.join(known)}")
    trial = Trial(host.clock, account, tell)
    try:
        if name in hears.names() and only in (None, "recogniser"):
            sentence = await _sentence(speaks)
            await trial.recognizer(hears.get(name), options["recognizers"], sentence)
        if name in speaks.names() and only in (None, "voice"):
            await trial.voice(speaks.get(name), options["synthesizers"])
        if name in thinks.names() and only in (None, "model"):
            await trial.model(thinks.get(name), options["models"])
    finally:
        for registry in registries:
            for provider in registry.made().values():
                await provider.stop()


async def _sentence(voices: Registry[SynthesizerProvider]) -> Samples:
    """A sentence that every recogniser knows, in the local voice."""
    _, lines = await speak_lines(voices.get("local"), [SENTENCE])
    return lines[SENTENCE]


def _options(given: Sequence[str] | None) -> dict[str, dict[str, str]]:
    """`listen.model=nova-3` and the like, by the kind of plug-in that they are for."""
    chosen: dict[str, dict[str, str]] = {kind: {} for kind in _PREFIXES}
    for one in given or ():
        key, equals, value = one.partition("=")
        kinds = [kind for kind, prefix in _PREFIXES.items() if key.startswith(prefix)]
        if not kinds or not equals:
            known = ", ".join(_PREFIXES.values())
            raise Usage(f"--option {one!r}: give KEY=VALUE; a key begins with one of {known}")
        chosen[kinds[0]][key] = value
    return chosen


def _line(step: Step) -> str:
    time = "" if step.seconds is None else f"{step.seconds * 1000:6.0f} ms"
    mark = "    " if step.ok else "BAD "
    return f"{mark}{step.part:<11}{step.what:<40}{time:>9}  {step.detail}".rstrip()
