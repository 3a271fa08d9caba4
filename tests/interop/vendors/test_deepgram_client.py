"""Deepgram's own client understands our fake of its recognisers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.interop.vendors.fakes import RATE, fake, pieces, silence, spoken

deepgram = pytest.importorskip("deepgram", reason="the package deepgram-sdk is not installed")

KEY = "deepgram-key-of-a-test"
AUDIO: dict[str, Any] = {"encoding": "linear16", "sample_rate": RATE}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with fake("deepgram", script=["book a table"] * 20, key=KEY) as number:
        yield number


def client(port: int, key: str = KEY) -> Any:
    from deepgram.environment import DeepgramClientEnvironment

    url = f"127.0.0.1:{port}"
    environment = DeepgramClientEnvironment(
        base=f"http://{url}", production=f"ws://{url}", agent=f"ws://{url}", agent_rest=url
    )
    return deepgram.DeepgramClient(api_key=key, environment=environment)


def test_nova(port: int) -> None:
    """Interim and final results, SpeechStarted, and Metadata at the end."""
    options = {"interim_results": True, "vad_events": True, "endpointing": 300, "punctuate": True}
    with client(port).listen.v1.connect(model="nova-3", **AUDIO, **options) as connection:
        for piece in pieces(spoken(1.0) + silence(0.5)):
            connection.send_media(piece)
        connection.send_close_stream()
        told = list(connection)
    assert [one.type for one in told] == ["SpeechStarted", *["Results"] * 4, "Metadata"]
    results = told[1:-1]
    texts = [one.channel.alternatives[0].transcript for one in results]
    assert texts == ["book", "book a", "book a table", "Book a table."]
    assert [one.is_final for one in results] == [False] * 3 + [True]
    assert results[-1].speech_final
    assert results[-1].channel.alternatives[0].words[0].punctuated_word == "book"
    assert told[-1].duration == pytest.approx(1.5)


def test_control(port: int) -> None:
    """Finalize is answered as such; KeepAlive and Configure are taken."""
    with client(port).listen.v1.connect(model="nova-3", endpointing="false", **AUDIO) as connection:
        connection.send_keep_alive()
        for piece in pieces(spoken(0.9) + silence(1.0)):
            connection.send_media(piece)
        connection.send_finalize()
        result = connection.recv()
        assert (result.is_final, result.from_finalize, result.speech_final) == (True, True, False)
        assert result.channel.alternatives[0].transcript == "book a table"
        connection.send_close_stream()


def test_flux(port: int) -> None:
    """A turn from Connected to EndOfTurn, by the model and by hand."""
    with client(port).listen.v2.connect(model="flux-general-en", **AUDIO) as connection:
        assert connection.recv().type == "Connected"
        for piece in pieces(spoken(0.9) + silence(0.6)):
            connection.send_media(piece)
        told = [connection.recv() for _ in range(5)]
        assert [one.event for one in told] == ["StartOfTurn", *["Update"] * 3, "EndOfTurn"]
        assert told[-1].transcript == "book a table"
        assert (told[-1].turn_index, told[-1].trigger) == (0, "model")
        assert [one.sequence_id for one in told] == [1, 2, 3, 4, 5]
        connection.send_media(spoken(0.4))
        connection.send_force_end_turn()
        forced = [connection.recv() for _ in range(3)][-1]
        assert (forced.event, forced.turn_index, forced.trigger) == ("EndOfTurn", 1, "manual")
        connection.send_close_stream()


def test_flux_thresholds(port: int) -> None:
    """They are changed in mid-stream, within their ranges."""
    options = {"eot_threshold": 0.8, "eager_eot_threshold": 0.4, "keyterm": ["Rapida"]}
    with client(port).listen.v2.connect(model="flux-general-en", **AUDIO, **options) as connection:
        connection.recv()
        connection.send_configure({"type": "Configure", "thresholds": {"eot_threshold": 0.9}})
        assert connection.recv().type == "ConfigureSuccess"
        connection.send_configure({"type": "Configure", "thresholds": {"eot_threshold": 0.1}})
        assert connection.recv().type == "ConfigureFailure"
        connection.send_close_stream()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_wrong_key(port: int, version: str) -> None:
    """It is told 401."""
    model = {"v1": "nova-3", "v2": "flux-general-en"}[version]
    listen = getattr(client(port, "another").listen, version)
    # An error of the client's own, or of the library below it, by that one's version.
    with pytest.raises(Exception, match="401"), listen.connect(model=model, **AUDIO):
        pass
