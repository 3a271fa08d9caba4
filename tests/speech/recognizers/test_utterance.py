"""One turn as a file."""

from __future__ import annotations

import io
import wave

import numpy as np

from rapida_tw.audio.format import SILENCE
from rapida_tw.speech.recognizers.multipart import form
from rapida_tw.speech.recognizers.utterance import Utterance
from rapida_tw.speech.wav import wav
from tests.speech.recognizers.stand_in import numbered


def test_file() -> None:
    """The library reads what we write."""
    samples = np.arange(-500, 500, dtype=np.int16)
    with wave.open(io.BytesIO(wav(samples.astype("<i2").tobytes(), 16_000))) as file:
        shape = (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes())
        assert shape == (1, 2, 16_000, 1000)
        assert file.readframes(1000) == samples.tobytes()


def voiced(*levels: int) -> int:
    """How many frames the file has, of 20 frames of each level."""
    utterance = Utterance([SILENCE])
    for level in levels:
        for _ in range(20):
            utterance.hear(numbered(level))
    file = utterance.wav()
    return (len(file) - 44) // 640 if file else 0


def test_end() -> None:
    """It ends 200 ms behind the voice, or where it ends."""
    assert voiced(5000, 0) == 1 + 20 + 10
    assert voiced(5000) == 1 + 20
    assert voiced(5000, 0, 5000, 0) == 1 + 60 + 10


def test_loudness() -> None:
    """Noise below the voice is none; the loudest sample of all is one."""
    assert voiced(20_000, 1_000) == 1 + 20 + 10
    assert voiced(-32_768, 0) == 1 + 20 + 10
    assert voiced(400) == 0
    assert Utterance(()).wav() == b""


def test_keeps_its_own() -> None:
    """What is decoded together with it for other calls is not kept with it."""
    together = np.tile(numbered(5000), (20, 1))
    utterance = Utterance(together[:1])
    for frame in together:
        utterance.hear(frame)
    before = utterance.wav()
    together[:] = 0
    assert before
    assert utterance.wav() == before


def test_form() -> None:
    """Fields, then the file; each form has a boundary of its own."""
    kind, body = form([("a", "ä")], b"\r\n--", "x.wav", "audio/wav")
    boundary = kind.partition("boundary=")[2]
    assert body.decode().split(f"--{boundary}") == [
        "",
        '\r\nContent-Disposition: form-data; name="a"\r\n\r\nä\r\n',
        '\r\nContent-Disposition: form-data; name="file"; filename="x.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n\r\n--\r\n",
        "--\r\n",
    ]
    assert form([], b"", "x.wav", "audio/wav")[0] != kind
