"""The checks of `rapida doctor`: what a server with this configuration would find."""

from __future__ import annotations

import errno
import resource
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from rapida_tw.audio import opus
from rapida_tw.audio.format import RATE
from rapida_tw.cli.finding import BAD, DOUBTFUL, GOOD, Finding
from rapida_tw.cli.local import Local
from rapida_tw.cli.reacting import run
from rapida_tw.config import Config
from rapida_tw.config.sections import Sip
from rapida_tw.errors import CallError
from rapida_tw.models.base import ModelProvider
from rapida_tw.net.service import RealNet
from rapida_tw.sip_service import warnings
from rapida_tw.speech.base import (
    DetectorProvider,
    Host,
    RecognizerProvider,
    Registry,
    SynthesizerProvider,
)
from rapida_tw.transports import srtp

_TIMEOUT = 3.0  # seconds
_MINUTE = 60 * RATE * 2 * 2  # bytes of a stereo recording
_SCARCE, _TOO_LITTLE = 2 * 2**30, 200 * 2**20  # bytes free on the disk
_DESCRIPTORS = 4096  # a call over SIP has three: RTP, RTCP and its recording
# How plug-ins describe themselves that found nothing to work with.
_MAKESHIFTS = ("none", "tone")
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def check(config: Config) -> Iterator[Finding]:
    """One finding after the other."""
    yield Finding("configuration", GOOD, config.source)
    yield from _folders(config)
    yield _database(config)
    yield _redis(config.redis.url)
    yield from _ports(config)
    yield from _placing(config)
    yield from _vendors(config)
    yield _descriptors()


def _folders(config: Config) -> Iterator[Finding]:
    folders = {"data folder": config.server.data_dir}
    if config.recording.enabled:
        folders["recordings"] = config.recording.directory
    for what, folder in folders.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            yield Finding(what, BAD, f"{folder}: {error.strerror}")
            continue
        yield Finding(what, GOOD, f"{folder.absolute()} can be written")
        yield _space(f"disk of the {what}", folder)


def _space(what: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    state = BAD if free < _TOO_LITTLE else DOUBTFUL if free < _SCARCE else GOOD
    hours = free / _MINUTE / 60
    return Finding(what, state, f"{free / 2**30:.1f} GiB free, {hours:.0f} hours of recordings")


def _database(config: Config) -> Finding:
    try:
        with closing(Local(config)) as books:
            keys = books.living_keys()
            count = books.assistants(1).total
    except CallError as error:
        return Finding("database", BAD, str(error))
    detail = f"{count} assistants, {len(keys)} API keys"
    if count and keys:
        return Finding("database", GOOD, detail)
    return Finding("database", DOUBTFUL, f"{detail}: `rapida init` makes what is missing")


def _redis(url: str) -> Finding:
    if not url:
        return Finding("Redis", GOOD, "none is configured: one worker alone needs none")
    parts = urlsplit(url)
    where = f"{parts.hostname}:{parts.port or 6379}"
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 6379), _TIMEOUT) as line:
            names = [unquote(name) for name in (parts.username, parts.password) if name]
            answer = _redis_says(line, "AUTH", *names) if names else "+OK"
            if answer.startswith("+"):
                answer = _redis_says(line, "PING")
    except OSError as error:
        return Finding("Redis", BAD, f"{where}: {error.strerror or error}")
    if answer.startswith("+PONG"):
        return Finding("Redis", GOOD, f"{where} answers")
    return Finding("Redis", BAD, f"{where} says: {answer[:80] or 'nothing'}")


def _redis_says(line: socket.socket, *words: str) -> str:
    """One command of the Redis protocol and the first line of its answer."""
    encoded = [word.encode() for word in words]
    parts = [b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)]
    line.sendall(b"".join(parts))
    return line.recv(256).decode("utf-8", "replace").partition("\r\n")[0]


def _ports(config: Config) -> Iterator[Finding]:
    http = config.http
    ours = not http.listen and _is_ours(http.host, http.port, bool(http.tls_certificate))
    running = "taken by the server that is running now" if ours else ""
    wanted = [("HTTP", http.listen, http.host, http.port)]
    wanted += [("HTTP, too", "", http.host, port) for port in http.also_ports]
    if config.audiosocket.enabled:
        audio = config.audiosocket
        wanted.append(("AudioSocket", audio.listen, audio.host, audio.port))
    for what, listen, host, port in wanted:
        if listen:
            yield Finding(what, GOOD, f"listens as [http] or [audiosocket] listen says: {listen}")
        else:
            yield _port(what, host, port, running)
    if config.sip.enabled:
        yield from _sip(config.sip, running)


def _sip(sip: Sip, running: str) -> Iterator[Finding]:
    """Its ports, and whether callers will be heard."""
    port = {"udp": sip.port, "tcp": sip.port, "tls": sip.tls_port}
    for transport in sip.transports:
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        yield _port(f"SIP over {transport.upper()}", sip.server, port[transport], running, kind)
    announced = sip.external_ip or "the address that leads to each caller"
    told = list(warnings(sip))
    detail = " ".join(told) if told else f"{announced} is announced"
    yield Finding("SIP audio", DOUBTFUL if told else GOOD, detail)
    missing = [name for name in sip.codecs if name == "opus" and not opus.available()]
    missing += ["SRTP"] * (sip.srtp != "off" and not srtp.installed())
    if missing:
        yield Finding("SIP media", DOUBTFUL, f"not installed here: {', '.join(missing)}")


def _port(what: str, host: str, port: int, running: str, kind: int = socket.SOCK_STREAM) -> Finding:
    where = f"{host} port {port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            if kind == socket.SOCK_STREAM:
                probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and running:
                return Finding(what, GOOD, f"{where} is {running}")
            return Finding(what, BAD, f"{where}: {error.strerror}")
    return Finding(what, GOOD, f"{where} is free")


def _is_ours(host: str, port: int, tls: bool) -> bool:
    """Whether a server of ours answers there."""
    if tls:
        return False  # its certificate names a host that we do not know
    connection = HTTPConnection(_ANYWHERE.get(host, host), port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/healthz/")
        response = connection.getresponse()
        response.read(4096)
        return response.status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _placing(config: Config) -> Iterator[Finding]:
    """Whether carriers would find us for calls that we place."""
    from rapida_tw.cli import placing_checks  # loads all that dials, which no other command needs

    http = config.http
    running = not http.listen and _is_ours(http.host, http.port, bool(http.tls_certificate))
    try:
        with closing(Local(config)) as books:
            found = placing_checks.deployed(books)
    except CallError:
        return  # told by the database's own check
    yield from placing_checks.addresses(config, found, running)


def _vendors(config: Config) -> Iterator[Finding]:
    """Which recogniser, voice, detector and model were chosen, and why; what carriers say."""
    from rapida_tw.cli import placing_checks

    async def choose(reactor: Any) -> list[Finding]:
        net = RealNet(reactor)
        host = Host(reactor, config.server.data_dir, net)
        speech = config.speech
        hears = Registry[RecognizerProvider]("rapida_tw.recognizers", host)
        speaks = Registry[SynthesizerProvider]("rapida_tw.synthesizers", host)
        detects = Registry[DetectorProvider]("rapida_tw.detectors", host)
        thinks = Registry[ModelProvider]("rapida_tw.models", host)
        chosen: list[tuple[str, Registry[Any], str]] = [
            ("recogniser", hears, speech.recognizer),
            ("voice", speaks, speech.synthesizer),
            ("detector", detects, speech.vad),
            ("model", thinks, config.model.default),
        ]
        findings = [_vendor(what, registry, name) for what, registry, name in chosen]
        for _, registry, _ in chosen:
            for provider in registry.made().values():
                await provider.stop()
        await net.stop()
        return findings + await placing_checks.asked(reactor, config)

    yield from run(choose)


def _vendor(what: str, registry: Registry[Any], name: str) -> Finding:
    get: Callable[[str], Any] = registry.get
    try:
        description: str = get(name).description
    except (CallError, ImportError, OSError) as error:
        return Finding(what, BAD, f"{name}: {error}")
    poor = description.startswith(_MAKESHIFTS)
    return Finding(what, DOUBTFUL if poor else GOOD, f"{name}: {description}")


def _descriptors() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # the server raises the soft limit itself
    if hard == resource.RLIM_INFINITY:
        return Finding("open files", GOOD, "as many as there are")
    detail = f"{hard} may be open, enough for about {max(0, hard - 100) // 3} calls"
    state = GOOD if hard >= _DESCRIPTORS else DOUBTFUL
    return Finding("open files", state, detail + " (`ulimit -Hn`)" * (state != GOOD))
