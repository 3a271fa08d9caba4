"""Microsoft's own Speech SDK understands our fake of its service."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest

from tests.interop.vendors.fakes import fake, pieces, silence, spoken

speech = pytest.importorskip(
    "azure.cognitiveservices.speech", reason="azure-cognitiveservices-speech is not installed"
)

KEY = "azure-key-of-a-test"
WITHIN = 20.0  # seconds
SCRIPT = ["book a table", "for two people"]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with fake("azure_recognizer", script=SCRIPT, key=KEY) as number:
        yield number


class Recognition:
    """Continuous recognition of what is written to `audio`; events as they come."""

    def __init__(self, port: int, key: str) -> None:
        config = speech.SpeechConfig(subscription=key, host=f"ws://127.0.0.1:{port}")
        config.speech_recognition_language = "en-US"
        config.output_format = speech.OutputFormat.Detailed
        config.set_property(speech.PropertyId.Speech_SegmentationSilenceTimeoutMs, "300")
        form = speech.audio.AudioStreamFormat(16_000, 16, 1)
        self.audio = speech.audio.PushAudioInputStream(form)
        source = speech.audio.AudioConfig(stream=self.audio)
        self.events: Queue[tuple[str, Any]] = Queue()
        self._recognizer = speech.SpeechRecognizer(config, source)
        for name in ("recognizing", "recognized", "canceled", "session_stopped"):
            event = getattr(self._recognizer, name)
            event.connect(lambda told, name=name: self.events.put((name, told)))
        self._recognizer.start_continuous_recognition_async().get()

    def speak(self, seconds: float) -> None:
        for piece in pieces(spoken(seconds) + silence(0.5)):
            self.audio.write(piece)

    def texts(self, name: str, last: str) -> list[str]:
        """What was told by events of that name, up to this one."""
        told: list[str] = []
        while last not in told:
            kind, event = self.events.get(timeout=WITHIN)
            assert kind != "canceled", event.cancellation_details
            if kind == name:
                told.append(event.result.text)
        return told

    def stop(self) -> None:
        self.audio.close()
        self._recognizer.stop_continuous_recognition_async().get()


def test_recognition(port: int) -> None:
    """It hears two phrases, each growing word by word, and comes to an orderly end."""
    recognition = Recognition(port, KEY)
    recognition.speak(0.9)
    assert recognition.texts("recognizing", SCRIPT[0]) == ["book", "book a", "book a table"]
    assert recognition.texts("recognized", SCRIPT[0])
    recognition.speak(0.9)
    assert recognition.texts("recognized", SCRIPT[1]) == [SCRIPT[1]]
    recognition.stop()
    while recognition.events.get(timeout=WITHIN)[0] != "session_stopped":
        pass


def test_wrong_key(port: int) -> None:
    """It is told that the key is wrong, as by the real service."""
    recognition = Recognition(port, "another key")
    recognition.speak(0.3)
    name, event = recognition.events.get(timeout=WITHIN)
    assert name == "canceled"
    details = event.cancellation_details
    assert details.code is speech.CancellationErrorCode.AuthenticationFailure
    recognition.stop()
