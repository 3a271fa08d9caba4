"""The sections of the configuration: frozen values, each key with its default and its kind.

A class is given its own section, never the whole `Config`. Each key is explained in
conf/rapida.toml; a test holds that file and this one together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_type_hints
from urllib.parse import unquote, urlsplit

from rapida_tw.config import kinds
from rapida_tw.config.kinds import setting

LEVELS = ("debug", "info", "warn", "error", "critical")


def _quoted(argument: str) -> str:
    """As an argument of a Twisted endpoint string, which has colons of its own."""
    return argument.replace("\\", "\\\\").replace(":", "\\:")


@dataclass(frozen=True, slots=True)
class Server:
    """The node as a whole."""

    public_host: str = setting("", kinds.PUBLIC_HOST)
    public_scheme: str = setting("https", kinds.choice("https", "http"))
    data_dir: Path = setting(Path("var"), kinds.PATH)
    secret_key: str = setting("", kinds.SECRET, secret=True)
    drain_seconds: float = setting(30.0, kinds.seconds())
    max_calls: int = setting(0, kinds.whole(0))
    node: str = setting("", kinds.TEXT)


@dataclass(frozen=True, slots=True)
class Http:
    """The port of HTTP, WebSockets and gRPC. `listen` stands instead of host and port."""

    host: str = setting("0.0.0.0", kinds.ADDRESS)
    port: int = setting(9007, kinds.PORT)
    listen: str = setting("", kinds.ENDPOINT)
    also_ports: tuple[int, ...] = setting((), kinds.several(kinds.PORT))
    tls_certificate: str = setting("", kinds.TEXT)
    tls_key: str = setting("", kinds.TEXT)
    trusted_proxies: tuple[str, ...] = setting((), kinds.several(kinds.NETWORK))

    @property
    def endpoint(self) -> str:
        """Where to listen, as a Twisted endpoint string, with TLS if there is a certificate."""
        if self.tls_certificate and not self.listen:
            files = f"privateKey={_quoted(self.tls_key)}:certKey={_quoted(self.tls_certificate)}"
            return f"ssl:{self.port}:{files}:interface={_quoted(self.host)}"
        return self.listen or f"tcp:{self.port}:interface={_quoted(self.host)}"


@dataclass(frozen=True, slots=True)
class AudioSocket:
    """The port that Asterisk's AudioSocket connects to. `listen` as in `Http`."""

    enabled: bool = setting(True, kinds.FLAG)
    host: str = setting("0.0.0.0", kinds.ADDRESS)
    port: int = setting(4573, kinds.PORT)
    listen: str = setting("", kinds.ENDPOINT)

    @property
    def endpoint(self) -> str:
        """Where to listen, as a Twisted endpoint string."""
        return self.listen or f"tcp:{self.port}:interface={_quoted(self.host)}"


@dataclass(frozen=True, slots=True)
class Sip:
    """The SIP server and the ports of its media."""

    enabled: bool = setting(True, kinds.FLAG)
    server: str = setting("0.0.0.0", kinds.ADDRESS)
    external_ip: str = setting("", kinds.EXTERNAL_ADDRESS)
    port: int = setting(5090, kinds.PORT)
    transports: tuple[str, ...] = setting(
        ("udp",), kinds.several(kinds.choice("udp", "tcp", "tls"))
    )
    tls_port: int = setting(5091, kinds.PORT)
    tls_certificate: str = setting("", kinds.TEXT)
    tls_key: str = setting("", kinds.TEXT)
    rtp_port_range_start: int = setting(10000, kinds.whole(1024, 65535))
    rtp_port_range_end: int = setting(20000, kinds.whole(1024, 65535))
    rtp_timeout: float = setting(30.0, kinds.seconds())
    rtp_learning: str = setting("signalling", kinds.choice("announced", "signalling", "any"))
    codecs: tuple[str, ...] = setting(
        ("G722", "opus", "L16", "PCMU", "PCMA"),
        kinds.several(kinds.choice("G722", "opus", "L16", "PCMU", "PCMA")),
    )
    realm: str = setting("rapida", kinds.NAME)
    digest: tuple[str, ...] = setting(
        ("MD5", "SHA-256"), kinds.several(kinds.choice("MD5", "SHA-256"))
    )
    trusted_networks: tuple[str, ...] = setting((), kinds.several(kinds.NETWORK))
    srtp: str = setting("optional", kinds.choice("off", "optional", "required"))


@dataclass(frozen=True, slots=True)
class Outbound:
    """Calls that are placed: what may be dialled, how many, and how long it rings."""

    ring_timeout: float = setting(60.0, kinds.seconds())
    allowed_prefixes: tuple[str, ...] = setting((), kinds.several(kinds.PREFIX))
    denied_prefixes: tuple[str, ...] = setting((), kinds.several(kinds.PREFIX))
    calls_per_second: float = setting(10.0, kinds.number(0))
    calls_per_day: int = setting(0, kinds.whole(0))
    carrier_calls_per_second: Mapping[str, float] = setting({}, kinds.table(kinds.number(0)))
    carrier_calls: Mapping[str, int] = setting({}, kinds.table(kinds.whole(0)))
    number_calls_per_second: float = setting(0.0, kinds.number(0))
    number_calls: int = setting(0, kinds.whole(0))
    reserve: float = setting(0.2, kinds.number(0, 1))
    audiosocket: str = setting("", kinds.TEXT)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Events of calls that are told to the assistants' owners."""

    allowed_networks: tuple[str, ...] = setting((), kinds.several(kinds.NETWORK))
    timeout: float = setting(10.0, kinds.seconds())
    keep_days: float = setting(7.0, kinds.number(0))


@dataclass(frozen=True, slots=True)
class Database:
    """Where assistants, keys and conversations are kept."""

    url: str = setting(
        "sqlite:///{data_dir}/rapida.db",
        kinds.url("sqlite", "postgresql", "postgresql+psycopg"),
        secret=True,
    )


@dataclass(frozen=True, slots=True)
class Redis:
    """Where call contexts are kept; "" keeps them in this process."""

    url: str = setting("", kinds.url("redis", optional=True), secret=True)


@dataclass(frozen=True, slots=True)
class Recording:
    """Stereo recordings of the calls."""

    enabled: bool = setting(True, kinds.FLAG)
    directory: Path = setting(Path("{data_dir}/recordings"), kinds.PATH)


@dataclass(frozen=True, slots=True)
class Speech:
    """The plug-ins of deployments that name none."""

    recognizer: str = setting("local", kinds.NAME)
    synthesizer: str = setting("local", kinds.NAME)
    vad: str = setting("local", kinds.NAME)


@dataclass(frozen=True, slots=True)
class Model:
    """The model of assistants that name none."""

    default: str = setting("scripted", kinds.NAME)


@dataclass(frozen=True, slots=True)
class Log:
    """What is written and how; `levels` by the beginning of the logger's name."""

    format: str = setting("text", kinds.choice("text", "json"))
    level: str = setting("info", kinds.choice(*LEVELS))
    levels: Mapping[str, str] = setting({}, kinds.table(kinds.choice(*LEVELS)))


@dataclass(frozen=True, slots=True)
class Metrics:
    """The page for Prometheus."""

    enabled: bool = setting(True, kinds.FLAG)


@dataclass(frozen=True, slots=True)
class Config:
    """All sections. `source` names the file that was read, for people.

    `{data_dir}` in the database's URL and the recordings' folder stands for the server's.
    """

    server: Server = field(default_factory=Server)
    http: Http = field(default_factory=Http)
    audiosocket: AudioSocket = field(default_factory=AudioSocket)
    sip: Sip = field(default_factory=Sip)
    outbound: Outbound = field(default_factory=Outbound)
    webhooks: Webhooks = field(default_factory=Webhooks)
    database: Database = field(default_factory=Database)
    redis: Redis = field(default_factory=Redis)
    recording: Recording = field(default_factory=Recording)
    speech: Speech = field(default_factory=Speech)
    model: Model = field(default_factory=Model)
    log: Log = field(default_factory=Log)
    metrics: Metrics = field(default_factory=Metrics)
    source: str = field(default="the built-in defaults", compare=False)

    def __post_init__(self) -> None:
        data_dir = str(self.server.data_dir)
        url = self.database.url.replace("{data_dir}", data_dir)
        folder = Path(str(self.recording.directory).replace("{data_dir}", data_dir))
        object.__setattr__(self, "database", replace(self.database, url=url))
        object.__setattr__(self, "recording", replace(self.recording, directory=folder))

    def secrets(self) -> Iterator[str]:
        """What must never be logged, for the redactor."""
        if self.server.secret_key:
            yield self.server.secret_key
        for url in (self.database.url, self.redis.url):
            password = urlsplit(url).password
            if password:
                yield from {password, unquote(password)}


_HINTS = get_type_hints(Config)
SECTIONS: Mapping[str, type] = {name: _HINTS[name] for name in _HINTS if name != "source"}
