"""Recordings and their pictures, over HTTP."""

from __future__ import annotations

from typing import Any

import numpy as np
from twisted.internet.defer import Deferred, TimeoutError, maybeDeferred

from rapida_tw.audio.wav import StereoWav
from rapida_tw.store.records import Conversation, Entry
from rapida_tw.web.sending import STALLED
from tests.web.case import Connection, WebCase, request_bytes
from tests.web.fakes import ASSISTANT, KEY, PROJECT

WAV = "/v1/conversations/5/recording.wav"
PNG = "/v1/conversations/5/timeline.png"
FRAMES = 100_000  # several pieces


class RecordingCase(WebCase):
    def setUp(self) -> None:
        super().setUp()
        assert self.folder is not None
        self.folder.mkdir(parents=True)
        self.path = self.folder / "5.wav"
        file = StereoWav(self.path)
        file.append(np.arange(FRAMES).astype(np.int16), np.ones(FRAMES, np.int16))
        file.close()
        self.whole = self.path.read_bytes()
        self.record("5.wav")

    def same(self, body: bytes, wanted: bytes) -> None:
        """Without the difference of two long texts, which would take minutes to write."""
        self.assertTrue(body == wanted, f"{len(body)} bytes, {len(wanted)} wanted")

    def record(self, name: str) -> None:
        entry = Entry(5, "recording", "stereo", name)
        self.conversations.kept[5] = Conversation(5, PROJECT, ASSISTANT, "", entries=(entry,))


class WavTests(RecordingCase):
    def test_stereo(self) -> None:
        """All of it, with its length."""
        response = self.get(WAV)
        self.assertEqual(response.status, 200)
        self.same(response.body, self.whole)
        self.assertEqual(response.headers["content-type"], "audio/wav")
        self.assertEqual(response.headers["content-length"], str(len(self.whole)))
        self.assertEqual(response.headers["accept-ranges"], "bytes")

    def test_track(self) -> None:
        """One side is half as long."""
        for track in ("user", "assistant"):
            body = self.get(f"{WAV}?track={track}").body
            self.assertEqual(len(body), 44 + 2 * FRAMES)
        self.assertEqual(set(body[44:]), {0, 1})

    def test_unknown_track(self) -> None:
        """400 with the names that there are."""
        response = self.get(f"{WAV}?track=left")
        self.assertEqual(response.status, 400)
        self.assertIn("stereo, user, assistant", response.json["error"]["errorMessage"])

    def test_head(self) -> None:
        """The headers alone; no more of the file is read than they need."""
        jobs: list[str] = []

        def in_thread(function: Any, *args: Any) -> Deferred[Any]:
            jobs.append(function.__name__)
            return maybeDeferred(function, *args)

        self.make_site(in_thread=in_thread)
        response = self.send("HEAD", WAV)
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertEqual(response.headers["content-length"], str(len(self.whole)))
        self.assertEqual(jobs, ["open_track"])

    def test_range(self) -> None:
        """What a browser asks for when somebody jumps into the middle."""
        response = self.get(WAV, Range="bytes=1000-200000")
        self.assertEqual(response.status, 206)
        self.same(response.body, self.whole[1000:200_001])
        self.assertEqual(response.headers["content-range"], f"bytes 1000-200000/{len(self.whole)}")
        self.assertEqual(response.headers["content-length"], "199001")

    def test_unsatisfiable(self) -> None:
        """416 with the length that there is."""
        response = self.get(WAV, Range="bytes=9999999-")
        self.assertEqual((response.status, response.body), (416, b""))
        self.assertEqual(response.headers["content-range"], f"bytes */{len(self.whole)}")

    def test_unchanged(self) -> None:
        """Who has it is told so (RFC 9110, section 13.1.2)."""
        stamp = self.get(WAV).headers["etag"]
        response = self.get(WAV, If_None_Match=stamp)
        self.assertEqual((response.status, response.body), (304, b""))
        self.assertNotIn("content-length", response.headers)

    def test_changed(self) -> None:
        """The rest of another state of the file is of no use: all of it (section 13.1.5)."""
        stamp = self.get(WAV).headers["etag"]
        part = self.get(WAV, Range="bytes=10-", If_Range=stamp)
        self.assertEqual(part.status, 206)
        whole = self.get(WAV, Range="bytes=10-", If_Range='"another"')
        self.assertEqual(whole.status, 200)
        self.same(whole.body, self.whole)

    def test_file_gone(self) -> None:
        """404 when the file was removed."""
        self.path.unlink()
        self.assertEqual(self.get(WAV).status, 404)

    def test_not_recorded(self) -> None:
        """404 when nothing was recorded, or nothing ever is."""
        self.record("")
        self.assertEqual(self.get(WAV).status, 404)
        self.record("5.wav")
        self.make_site(recordings=None)
        self.assertEqual(self.get(WAV).status, 404)

    def test_no_way_out(self) -> None:
        """A name never leads out of the folder."""
        assert self.folder is not None
        outside = self.folder.parent / "outside.wav"
        outside.write_bytes(self.whole)
        self.addCleanup(outside.unlink)
        for name in ("../outside.wav", str(outside.resolve()), ".."):
            self.record(name)
            self.assertEqual(self.get(WAV).status, 404, name)

    def test_broken_off(self) -> None:
        """A disk that fails half way cuts the connection: the client knows it has not all."""
        self.make_site(in_thread=self.failing_later())
        connection = self.ask("GET", WAV)
        self.assertTrue(connection.closed)
        self.assertLess(len(connection.transport.value()), len(self.whole))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def failing_later(self) -> Any:
        seen: list[str] = []

        def in_thread(function: Any, *args: Any) -> Deferred[Any]:
            seen.append(function.__name__)
            if seen.count("read") == 2:
                function = self.raise_error
            return maybeDeferred(function, *args)

        return in_thread

    def raise_error(self, *args: object) -> None:
        raise OSError("the disk is gone")

    def ask_slowly(self) -> Connection:
        connection = self.connect()
        connection.transport.full = True
        connection.send(request_bytes("GET", WAV, key=KEY))
        self.assertLess(len(connection.transport.value()), len(self.whole))
        return connection

    def test_slow_client(self) -> None:
        """A client that rests for less than a minute gets the rest."""
        connection = self.ask_slowly()
        self.clock.advance(STALLED - 1)
        connection.transport.full = False
        connection.protocol.resumeProducing()
        self.same(connection.response().body, self.whole)
        connection.close()

    def test_stalled_client(self) -> None:
        """A client that takes nothing for a minute is cut off."""
        connection = self.ask_slowly()
        self.clock.advance(STALLED)
        self.assertTrue(connection.closed)
        self.assertEqual(len(self.flushLoggedErrors(TimeoutError)), 1)


class PictureTests(RecordingCase):
    def test_picture(self) -> None:
        """Drawn from the file and the conversation."""
        response = self.get(PNG)
        self.assertEqual((response.status, response.body), (200, self.draw.image))
        self.assertEqual(response.headers["content-type"], "image/png")
        self.assertEqual(self.draw.drawn, [(self.path, 5)])

    def test_file_gone(self) -> None:
        """404 when the file was removed."""
        self.draw.failing = FileNotFoundError("5.wav")
        self.assertEqual(self.get(PNG).status, 404)

    def test_one_at_a_time(self) -> None:
        """Many who look at once do not take the processor away from the calls."""
        waiting: list[Deferred[bytes]] = []

        def in_thread(function: Any, *args: Any) -> Deferred[bytes]:
            waiting.append(Deferred())
            return waiting[-1]

        self.make_site(in_thread=in_thread)
        first, second = self.ask("GET", PNG), self.ask("GET", PNG)
        self.assertEqual(len(waiting), 1)
        waiting[0].callback(b"first")
        self.assertEqual(first.response().body, b"first")
        self.assertEqual(len(waiting), 2)
        waiting[1].callback(b"second")
        self.assertEqual(second.response().body, b"second")
        first.close()
        second.close()
