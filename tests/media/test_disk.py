from __future__ import annotations

import os
import wave
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from rapida_tw.audio.format import FRAME, SILENCE
from rapida_tw.media.disk import RecordingDisk
from rapida_tw.media.recorder import Recorder
from rapida_tw.media.tracks import Batch


class Recordings(SynchronousTestCase):
    """The thread is real; what it calls in the reactor is run by `until_stopped`."""

    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.failures: list[str] = []

    def until_stopped(self, disk: RecordingDisk) -> None:
        stopped = disk.stop()
        while not stopped.called:
            self.calls.get(timeout=10)()
        self.successResultOf(stopped)

    def length(self, name: str) -> int:
        """Of the file, in ticks."""
        with wave.open(str(self.folder / name)) as file:
            ticks: int = file.getnframes() // FRAME
            return ticks

    def record(self, disk: RecordingDisk, path: Path, ticks: int) -> None:
        recorder = Recorder(0, disk.open(path, 0, self.failures.append))
        for tick in range(ticks):
            recorder.caller_frame(tick, SILENCE)
            recorder.assistant_frame(tick, SILENCE)
        recorder.close(ticks)

    def test_two_calls(self) -> None:
        """Each call has its file; `stop` waits until all of them are complete."""
        disk = RecordingDisk(self.calls.put)
        disk.start()
        self.record(disk, self.folder / "one.wav", 130)
        self.record(disk, self.folder / "two.wav", 70)
        self.until_stopped(disk)
        self.assertEqual((self.length("one.wav"), self.length("two.wav")), (130, 70))
        self.assertEqual(self.failures, [])

    def test_full_disk(self) -> None:
        """A full disk ends that recording, says so once, and no other recording notices."""
        if not os.path.exists("/dev/full"):
            raise SkipTest("no /dev/full here")
        disk = RecordingDisk(self.calls.put)
        disk.start()
        self.record(disk, Path("/dev/full"), 500)
        self.record(disk, self.folder / "other.wav", 60)
        self.until_stopped(disk)
        self.assertEqual(self.failures, [os.strerror(28)])
        self.assertEqual(self.length("other.wav"), 60)

    def test_missing_folder(self) -> None:
        """A folder that is not there likewise, and is told once."""
        disk = RecordingDisk(self.calls.put)
        disk.start()
        self.record(disk, self.folder / "missing" / "call.wav", 500)
        self.until_stopped(disk)
        self.assertEqual(self.failures, [os.strerror(2)])

    def test_no_second_try(self) -> None:
        """A recording that could not begin does not begin later, without its beginning."""
        path = self.folder / "missing" / "call.wav"

        def repair(call: Callable[[], None]) -> None:
            path.parent.mkdir(exist_ok=True)
            self.calls.put(call)

        disk = RecordingDisk(repair)
        self.record(disk, path, 500)
        disk.start()
        self.until_stopped(disk)
        self.assertTrue(path.parent.exists())
        self.assertFalse(path.exists())

    def test_too_slow(self) -> None:
        """At the queue's bound a recording is given up at once, and what was taken is kept."""
        disk = RecordingDisk(self.calls.put, limit=2)
        self.record(disk, self.folder / "call.wav", 500)  # the thread does not run yet
        self.assertEqual(self.failures, ["the disk is too slow"])
        disk.start()
        self.until_stopped(disk)
        self.assertTrue(0 < self.length("call.wav") <= 100)

    def test_a_bug_in_one(self) -> None:
        """Whatever goes wrong with one recording, the thread goes on with the next."""
        disk = RecordingDisk(self.calls.put)
        disk.start()
        write = disk.open(self.folder / "odd.wav", 0, self.failures.append)
        write(Batch(200, [(0, SILENCE[:7])], [], last=True))
        self.record(disk, self.folder / "call.wav", 60)
        self.until_stopped(disk)
        self.assertEqual(len(self.failures), 1)
        self.assertEqual(self.length("call.wav"), 60)

    def test_no_descriptor_left(self) -> None:
        """Ended, failed and given up: every file is closed."""
        before = set(os.listdir("/proc/self/fd"))
        disk = RecordingDisk(self.calls.put, limit=30)
        self.record(disk, self.folder / "long.wav", 1_000)
        self.record(disk, self.folder / "late.wav", 1_000)
        disk.start()
        self.until_stopped(disk)
        self.assertEqual(self.failures, ["the disk is too slow"])
        self.assertEqual(set(os.listdir("/proc/self/fd")), before)

    def test_never_started(self) -> None:
        """Stopping what was never started is done at once."""
        self.successResultOf(RecordingDisk(self.calls.put).stop())
