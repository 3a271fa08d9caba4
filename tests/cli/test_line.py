"""Where `rapida talk` and `rapida sim load` call."""

from __future__ import annotations

from argparse import ArgumentError, ArgumentParser, Namespace
from contextlib import closing
from typing import Any

import pytest

from rapida_tw.cli.line import Target, add_target, target
from rapida_tw.cli.source import Usage
from tests.cli.conftest import Rapida


def arguments(rapida: Rapida, *given: str, **more: Any) -> Namespace:
    parser = ArgumentParser(exit_on_error=False)
    add_target(parser, ("audiosocket", "twilio"), assistant=True)
    found = parser.parse_args(["--assistant", "5", *given])
    common = {"config": str(rapida.config), "env_file": None, "url": None, "api_key": None}
    for name, value in {**common, "noun": "talk", **more}.items():
        setattr(found, name, value)
    return found


def test_own_server(rapida: Rapida) -> None:
    """Without options it is the configuration's server, reached over the loopback."""
    with target(arguments(rapida, api_key="rpd-x")) as found:
        assert found == Target("http://127.0.0.1:9007", "rpd-x", "127.0.0.1", 4573)


def test_key_for_one_call(rapida: Rapida) -> None:
    """Who gives no key gets one for as long as the call lasts."""
    with target(arguments(rapida)) as found:
        assert found.api_key.startswith("rpd-")
        with closing(rapida.local()) as books:
            assert [key.name for key in books.living_keys()] == ["rapida talk"]
    with closing(rapida.local()) as books:
        assert books.living_keys() == []


def test_another_server(rapida: Rapida) -> None:
    """`--url` takes its host for AudioSocket too."""
    with target(arguments(rapida, url="https://voice.test", api_key="rpd-x")) as found:
        assert found == Target(
            "https://voice.test", "rpd-x", "voice.test", 4573, ("voice.test", 5090)
        )


def test_address(rapida: Rapida) -> None:
    """`--audiosocket` names another one."""
    given = arguments(rapida, "--audiosocket", "[::1]:4999", url="http://x", api_key="rpd-x")
    with target(given) as found:
        assert (found.host, found.port) == ("::1", 4999)


@pytest.mark.parametrize("text", ["voice.test", ":4573", "x:0", "x:70000", "x:y"])
def test_bad_address(rapida: Rapida, text: str) -> None:
    """It has a host and a port."""
    with pytest.raises(ArgumentError, match="HOST:PORT"):
        arguments(rapida, "--audiosocket", text)


def test_other_listener(rapida: Rapida) -> None:
    """Where systemd holds the port, nobody here knows which it is."""
    rapida.config.write_text(rapida.config.read_text() + '[http]\nlisten = "systemd:domain=INET"\n')
    with pytest.raises(Usage, match="give --url"), target(arguments(rapida)):
        pass


def test_key_stays_hidden(rapida: Rapida) -> None:
    """A target may be logged."""
    with target(arguments(rapida, api_key="rpd-x")) as found:
        assert "rpd-x" not in repr(found)
