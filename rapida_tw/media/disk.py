"""RecordingDisk: the one thread that writes all calls' recordings.

The reactor never waits for a disk. When the disk fails or is too slow, the recording is given up
with a reason and the call goes on; what was written until then can be played.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from twisted.internet.defer import Deferred, succeed

from rapida_tw.audio.wav import StereoWav
from rapida_tw.media.tracks import Batch, TrackWriter

# Batches waiting for the disk, over all calls: about 70 kB each. 500 calls make 500 a second.
LIMIT = 2000


class _Recording:
    """One file; `given_up` belongs to the reactor, `writer` and `broken` to the thread."""

    def __init__(self, path: Path, first_tick: int, failed: Callable[[str], None]) -> None:
        self.path = path
        self.first_tick = first_tick
        self.failed = failed
        self.given_up = False
        self.writer: TrackWriter | None = None
        self.broken = False


class RecordingDisk:
    """Start it before the first `open`, stop it after the last call has ended.

    `call_from_thread` is the reactor's: it runs a callable in the reactor's thread.
    """

    def __init__(
        self, call_from_thread: Callable[[Callable[[], None]], object], limit: int = LIMIT
    ) -> None:
        self._call_from_thread = call_from_thread
        self._limit = limit
        self._queue: SimpleQueue[tuple[_Recording, Batch | None] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._stopped: Deferred[None] = Deferred()

    def start(self) -> None:
        # No daemon: a process that ends by itself still writes what was handed over.
        self._thread = Thread(target=self._work, name="recording-disk", daemon=False)
        self._thread.start()

    def stop(self) -> Deferred[None]:
        """Fires when all that was handed over is on disk and the thread has ended."""
        if self._thread is None:
            return succeed(None)
        self._thread = None
        self._queue.put(None)
        return self._stopped

    def open(
        self, path: Path, first_tick: int, failed: Callable[[str], None]
    ) -> Callable[[Batch], None]:
        """A new file, for a `Recorder` to write to; `failed(reason)` is called at most once.

        The file is made by the thread when the first batch comes.
        """
        recording = _Recording(path, first_tick, failed)

        def write(batch: Batch) -> None:
            if recording.given_up:
                return
            if self._queue.qsize() < self._limit:
                self._queue.put((recording, batch))
            else:
                self._give_up(recording, "the disk is too slow")
                # Closing is always taken, so that no descriptor outlives its call.
                self._queue.put((recording, None))

        return write

    # -- the thread -------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            recording, batch = job
            if recording.broken:
                continue
            try:
                self._write(recording, batch)
            except Exception as error:
                # Whatever it is: an error that escaped would end the recordings of all calls.
                self._break_off(recording, error)
        self._call_from_thread(self._ended)

    def _write(self, recording: _Recording, batch: Batch | None) -> None:
        if recording.writer is None:
            if batch is None:
                return
            file = StereoWav(recording.path)
            recording.writer = TrackWriter(file, recording.first_tick)
        if batch is None:
            recording.writer.close()
        else:
            recording.writer.write(batch)

    def _break_off(self, recording: _Recording, error: Exception) -> None:
        recording.broken = True
        if recording.writer is not None:
            recording.writer.close()
        reason = (error.strerror if isinstance(error, OSError) else None) or repr(error)
        self._call_from_thread(lambda: self._give_up(recording, reason))

    # -- the reactor ------------------------------------------------------------------------------

    def _ended(self) -> None:
        self._stopped.callback(None)

    def _give_up(self, recording: _Recording, reason: str) -> None:
        if not recording.given_up:
            recording.given_up = True
            recording.failed(reason)
