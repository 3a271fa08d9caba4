"""Reading the configuration: TOML, then variables; every mistake reported at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rapida_tw.config.kinds import Kind
from rapida_tw.config.sections import SECTIONS, Config

PLACES = (Path("conf/rapida.toml"), Path("/etc/rapida/rapida.toml"))


class ConfigError(Exception):
    """The configuration cannot be used; `mistakes` has a line for each thing to put right."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def find(option: str | None, environ: Mapping[str, str]) -> Path | None:
    """The file to load: `--config`, $RAPIDA_CONFIG, the usual places; None: defaults only."""
    named = option or environ.get("RAPIDA_CONFIG")
    if named:
        return Path(named)
    return next((place for place in PLACES if place.is_file()), None)


def load(path: Path | None, environ: Mapping[str, str], env_file: Path | None = None) -> Config:
    """Read `path`, then the variables of `env_file`, then `environ`; the later ones win.

    `ConfigError` has the mistakes of all three.
    """
    return _Loader().load(path, environ, env_file)


@dataclass(frozen=True, slots=True)
class _Given:
    """A value, or the file to read it from, and where a user finds it."""

    value: Any
    where: str
    from_file: bool = False


class _Loader:
    """Collects values and mistakes; later sources replace what earlier ones gave."""

    def __init__(self) -> None:
        self._mistakes: list[str] = []
        self._given: dict[tuple[str, str], _Given] = {}

    def load(self, path: Path | None, environ: Mapping[str, str], env_file: Path | None) -> Config:
        if path is not None:
            self._take_tables(str(path), self._read_toml(path))
        if env_file is not None:
            self._take_variables(f"{env_file}: ", self._read_env_file(env_file))
        self._take_variables("environment variable ", environ)
        config = Config(**{name: self._section(name) for name in SECTIONS})
        self._mistakes += _contradictions(config)
        if self._mistakes:
            raise ConfigError(self._mistakes)
        return config if path is None else replace(config, source=str(path))

    def _read_text(self, path: Path) -> str:
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            self._mistakes.append(f"{path}: cannot be read: {reason}")
            return ""

    def _read_toml(self, path: Path) -> Mapping[str, Any]:
        try:
            return tomllib.loads(self._read_text(path))
        except tomllib.TOMLDecodeError as error:
            self._mistakes.append(f"{path}: not valid TOML: {error}")
            return {}

    def _read_env_file(self, path: Path) -> Mapping[str, str]:
        """`NAME=value` lines; `export`, quotes, blank lines and # comments as shells have them."""
        variables = {}
        for number, line in enumerate(self._read_text(path).splitlines(), 1):
            line = line.strip().removeprefix("export ")
            if not line or line.startswith("#"):
                continue
            name, equals, value = line.partition("=")
            value = value.strip()
            if not equals or not name.strip().isidentifier():
                self._mistakes.append(f"{path}: line {number}: give NAME=value")
            elif value[:1] in ("'", '"') and (end := value.find(value[0], 1)) > 0:
                variables[name.strip()] = value[1:end]
            else:
                variables[name.strip()] = value.partition(" #")[0].rstrip()
        return variables

    def _take_tables(self, where: str, tables: Mapping[str, Any]) -> None:
        for section, keys in tables.items():
            if section not in SECTIONS:
                hint = _did_you_mean(section, SECTIONS)
                self._mistakes.append(f"{where}: there is no section [{section}]{hint}")
            elif not isinstance(keys, dict):
                self._mistakes.append(f"{where}: {section} is a section: write [{section}]")
            else:
                places = {key: f"{where}: [{section}] {key}" for key in keys}
                self._take(section, {key: _Given(keys[key], places[key]) for key in keys})

    def _take_variables(self, prefix: str, variables: Mapping[str, str]) -> None:
        """`SECTION__KEY`, and PUBLIC_ASSISTANT_HOST, a shorter name of one of them."""
        names = {name: name for name in variables if "__" in name}
        if "PUBLIC_ASSISTANT_HOST" in variables:
            names.setdefault("SERVER__PUBLIC_HOST", "PUBLIC_ASSISTANT_HOST")
        given: dict[str, dict[str, _Given]] = {}
        for meaning, name in names.items():
            section, _, key = meaning.lower().partition("__")
            if section not in SECTIONS or meaning != meaning.upper():
                continue  # other programs' variables have underscores too
            value, kind = variables[name], _kinds(section).get(key)
            entry = _Given(kind.from_text(value) if kind else value, prefix + name)
            given.setdefault(section, {})[key] = entry
        for section, entries in given.items():
            self._take(section, entries)

    def _take(self, section: str, given: Mapping[str, _Given]) -> None:
        kinds = _kinds(section)
        for key, entry in given.items():
            target = key.removesuffix("_file")
            if key in kinds:
                self._given[section, key] = entry
            elif target in _secrets(section):
                if target in given:
                    self._mistakes.append(f"{entry.where}: give {target} or {key}, not both")
                self._given[section, target] = replace(entry, from_file=True)
            else:
                hint = _did_you_mean(key, kinds)
                self._mistakes.append(f"{entry.where}: there is no such key{hint}")

    def _section(self, section: str) -> Any:
        values = {}
        for key, kind in _kinds(section).items():
            given = self._given.get((section, key))
            if given is None:
                continue
            value = given.value
            if given.from_file:
                value = self._read_text(Path(str(value))).strip()
            try:
                values[key] = kind.read(value)
            except ValueError:
                shown = "" if key in _secrets(section) else f" {value!r} will not do;"
                self._mistakes.append(f"{given.where}:{shown} give {kind.allowed}")
        return SECTIONS[section](**values)


def _settings(section: str) -> tuple[Field[Any], ...]:
    return fields(SECTIONS[section])


def _kinds(section: str) -> dict[str, Kind]:
    return {setting.name: setting.metadata["kind"] for setting in _settings(section)}


def _secrets(section: str) -> list[str]:
    return [setting.name for setting in _settings(section) if setting.metadata["secret"]]


def _did_you_mean(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(known)}"


def _contradictions(config: Config) -> Iterator[str]:
    """What is allowed alone, but not together."""
    http, sip = config.http, config.sip
    if sip.rtp_port_range_end <= sip.rtp_port_range_start:
        yield "[sip] rtp_port_range_end: give a port above rtp_port_range_start"
    if sip.enabled and "tls" in sip.transports and not (sip.tls_certificate and sip.tls_key):
        yield '[sip] transports: "tls" needs tls_certificate and tls_key'
    for key in ("transports", "codecs", "digest"):
        if not getattr(sip, key):
            yield f"[sip] {key}: give at least one"
    for section, part in (("http", http), ("sip", sip)):
        if bool(part.tls_certificate) != bool(part.tls_key):
            yield f"[{section}] tls_certificate, tls_key: give both or neither"
        for key, name in (("tls_certificate", part.tls_certificate), ("tls_key", part.tls_key)):
            if name and not Path(name).is_file():
                yield f"[{section}] {key}: there is no file {name!r}"
    ports = list(http.also_ports)
    ports += [http.port] * (not http.listen)
    if config.audiosocket.enabled and not config.audiosocket.listen:
        ports.append(config.audiosocket.port)
    if sip.enabled:
        ports += [sip.port] * ("tcp" in sip.transports) + [sip.tls_port] * ("tls" in sip.transports)
    shared = {port for port in ports if port and ports.count(port) > 1}
    if shared:
        yield f"[http], [audiosocket], [sip]: port {min(shared)} is given twice; give each its own"
