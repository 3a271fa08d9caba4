"""Who may import whom, who may read a clock, and how long a file may grow.

The table is the map of the house: docs/architecture.rst explains it, this file keeps it true. Where
a new arrow is better than none, draw it here and say why in the change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rapida_tw"
LONGEST = 400  # lines

# A module may import its own package, the leaves, and what its line says; the most specific line
# counts. "*" is everything below: only what puts the house together has it.
LEAVES = "account cancellable errors expect ids metrics options roster sickness"
PORTS = (
    "net.base net.mcp_base speech.base models.base models.live carriers.base "
    "carriers.outbound sip.base"
)
# Several plug-ins of one kind as one, on the ports alone.
CHAINS = "speech.cached_voice speech.fallback speech.fallback_voice models.fallback"
ARROWS = {
    "errors": "",
    "account": "errors",
    "cancellable": "",
    "expect": "",
    "ids": "",
    "metrics": "",
    "sickness": "metrics",
    "roster": "metrics sickness",
    "options": "",
    "audio": "",
    "wire": "",
    "config": "",
    "log": "config",
    "media": "audio",
    "carriers.base": "audio media.leg carriers.outbound",
    "carriers.outbound": "net.base",
    "net.base": "",
    "net": "wire",
    "speech.base": "audio media.leg net.base",
    "models.base": "audio media.leg",
    "carriers": "audio wire net.base net.reasons",
    # Asterisk's REST interface: its events, its channels and bridges.
    "ari": "carriers.asterisk_causes carriers.options carriers.outbound net.base",
    "speech": "audio net.base net.google_token net.reasons net.refusal net.rpc_socket net.sse wire",
    "models.live": "audio models.base",
    # A live model hears and speaks: what recognisers and voices do with sound, it does too.
    "models": "audio net.base net.google_token net.reasons net.refusal net.sse speech.base "
    "speech.messages speech.recognizers.gather speech.voices.sound wire",
    "pipeline": f"audio media {PORTS}",
    "store": "config",
    "calls": "audio config media pipeline store.placements store.records store.scopes store.states "
    f"{PORTS} {CHAINS}",
    "transports": "audio config media.leg wire carriers.base",
    # Dialogs and calls over SIP; their sockets are transports'.
    "sip.base": "media.leg wire carriers.base",
    "sip": "audio media.leg wire carriers.base transports.rtp_ports transports.rtp_stream",
    # Text instead of a call: the same models and tools, an empty playout for what they need of one.
    "messaging": f"calls pipeline media.leg media.playout store.records carriers.twilio_messages "
    f"carriers.twilio_whatsapp {PORTS}",
    # net.reasons reads Retry-After.
    "webhooks": "calls config net.base net.reasons store",
    "campaigns": "calls config store",
    # gRPC on the HTTP port.
    "rpc": "calls campaigns messaging webhooks media.leg models.base audio wire "
    "store.credential_documents store.documents store.reading store.records store.scopes "
    "store.verification store.criteria store.client_metrics store.telemetry store.deliveries "
    "carriers.base "
    "carriers.outbound web.ports",
    "web": "audio calls campaigns messaging webhooks carriers.base carriers.outbound "
    "carriers.insight "
    "carriers.twilio_messages carriers.twilio_whatsapp sip.trunk "
    "store.campaigns store.credential_documents store.criteria store.documents store.reading "
    "store.records store.scopes store.verification store.webhook_documents __version__",
    "waveform": "audio",
    "turns": "store.records waveform",
    "timeline": "audio store.records turns waveform",
    "picture": "store.records timeline",
    "plug_ins": "calls config models.base models.live speech.base",
    "dialplan": "",
    "garbage": "",
    "listening": "",
    "first_run": "models.receptionist store",
    "simulation": "*",
    # The far side of every wire, written from the wires' documents: sharing the server's codecs
    # would share their mistakes.
    "sim": "audio speech.base",
    "client": "",
    "service": "*",
    "webhook_service": "*",
    "http_service": "*",
    "sip_service": "*",
    "closing": "transports",
    "telephones": "ari calls campaigns carriers config net.base",
    "sip_telephone": "carriers.endings carriers.outbound media.leg sip",
    "trunks": "sip.trunk store.records",
    "vendor_login": "speech.base",
    "number_insights": "carriers.insight carriers.vonage_insight net.base store.records",
    "demo": "*",
    "cli": "*",
    "tap": "config garbage log service",
}

# Pure parts know no framework; a library that shapes the code around it has one home.
PURE = ("errors", "expect", "ids", "audio", "wire", "config")
HOMES = {
    "klein": ("web",),
    "sqlalchemy": ("store",),
    "alembic": ("store",),
    "txredisapi": ("store",),
}

VAGUE_NAMES = {"utils", "helpers", "common", "manager", "misc"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module by its name below rapida_tw, without what protoc has written."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if not path.stem.endswith("_pb2"):
            parts = path.relative_to(PACKAGE).with_suffix("").parts
            name = ".".join(part for part in parts if part != "__init__")
            yield name, ast.parse(path.read_text("utf-8"), str(path))


def imports(tree: ast.AST) -> Iterator[str]:
    """Full names of all that is imported anywhere in the module, types included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: import by the full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}.")


def line_of(name: str) -> str:
    """The most specific line of the table for a module; "" when there is none."""
    return max((place for place in ARROWS if within(name, place)), key=len, default="")


def allowed(importer: str, imported: str) -> bool:
    """Whether the table has an arrow from one module of ours to what it imports of another."""
    line = line_of(importer)
    leaves = "errors" if line in LEAVES.split() else LEAVES
    places = f"{line} {leaves} {ARROWS[line]}".split()
    return "*" in places or any(within(imported, place) for place in places)


TREES = dict(modules())


def ours(tree: ast.AST) -> Iterator[str]:
    """What the module imports of rapida_tw, named below it."""
    return (name.partition(".")[2] for name in imports(tree) if within(name, "rapida_tw"))


@pytest.mark.parametrize("module", [name for name in TREES if name])
def test_arrows(module: str) -> None:
    """Imports point downward, as the table says."""
    assert line_of(module), f"{module} has no line in ARROWS: decide where it belongs"
    wrong = [name for name in ours(TREES[module]) if not allowed(module, name)]
    assert not wrong, f"{module} must not import {wrong}"


@pytest.mark.parametrize(
    ("importer", "imported", "fine"),
    [
        ("media.session", "audio.g711.decode", True),
        ("media.session", "media.clock.Beat", True),
        ("media.session", "pipeline.listen.Listener", False),
        ("audio.vad", "errors.CallError", True),
        ("audio.vad", "media.leg.Leg", False),
        ("errors", "audio.format.RATE", False),
        ("carriers.base", "media.leg.Leg", True),
        ("carriers.base", "media.session.MediaSession", False),
        ("speech.base", "speech.energy.EnergyDetector", False),
        ("speech.energy", "speech.base.VoiceDetector", True),
        ("sim.asterisk", "wire.audiosocket.Decoder", False),
        ("transports.rtp", "calls.calls.Calls", False),
        ("web.talk", "store.database.Database", False),
        ("service", "web.talk.Talk", True),
    ],
)
def test_the_table_is_read_right(importer: str, imported: str, fine: bool) -> None:
    """Examples of what it allows and what it does not."""
    assert allowed(importer, imported) is fine


def test_plugins_stand_alone() -> None:
    """Nothing imports a plug-in: it is found by its entry point, or it could not be replaced.

    But for the simulation, whose speech is scripted by design.
    """
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    plugins = {
        line.partition("=")[2].partition(":")[0].strip()
        for group, lines in setup["options.entry_points"].items()
        if group.startswith("rapida_tw.")
        for line in lines.strip().splitlines()
    }
    assert plugins
    for module, tree in TREES.items():
        if within(module, "simulation"):
            continue
        direct = [name for name in imports(tree) if any(within(name, one) for one in plugins)]
        assert not direct, f"{module} imports the plug-in {direct}"


@pytest.mark.parametrize("module", TREES)
def test_libraries(module: str) -> None:
    """Pure parts know neither Twisted nor another framework; shaping libraries stay at home."""
    for name in imports(TREES[module]):
        library = name.partition(".")[0]
        homes = HOMES.get(library)
        assert homes is None or any(within(module, home) for home in homes), name
        if any(within(module, place) for place in PURE):
            assert library not in ("twisted", "autobahn", "treq", *HOMES), name


REACTOR = "twisted.internet.reactor"
WALL_CLOCKS = {
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime"),
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
}


def used_clocks(tree: ast.AST) -> Iterator[str]:
    """Each wall clock that the module reads: `time.time()`, `datetime.datetime.now()`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if f"{owner}.{node.attr}" in WALL_CLOCKS:
                yield f"{owner}.{node.attr}"
    yield from (name for name in imports(tree) if name in WALL_CLOCKS)


@pytest.mark.parametrize("module", TREES)
def test_time_is_given(module: str) -> None:
    """The real reactor is known to tap.py alone, the time of day to log.py alone.

    But for the client, which runs in the programs of others.
    """
    tree = TREES[module]
    assert module in ("tap", "client.twisted") or not [
        name for name in imports(tree) if within(name, REACTOR)
    ]
    assert module == "log" or not list(used_clocks(tree))


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from time import time",
        "import datetime\ndatetime.datetime.now(UTC)",
        "from datetime import datetime\nstamp = datetime.utcnow",
    ],
)
def test_clocks_are_seen(source: str) -> None:
    """Each way to read the wall clock is found."""
    assert list(used_clocks(ast.parse(source)))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_files(path: Path) -> None:
    """One idea a file: not too long, and named by its noun."""
    if path.stem.endswith("_pb2"):
        return
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST
    assert path.stem not in VAGUE_NAMES
