"""Recordings: where a call's sound is written, if it is."""

from __future__ import annotations

from pathlib import Path

from twisted.logger import Logger

from rapida_tw.calls.claimed import Claimed
from rapida_tw.calls.journal import Journal
from rapida_tw.media.disk import RecordingDisk
from rapida_tw.media.recorder import Recorder


class Recordings:
    """The folder and the thread that writes; without either nothing is recorded."""

    _log = Logger()

    def __init__(self, folder: Path | None, disk: RecordingDisk | None, journal: Journal) -> None:
        self._folder = folder
        self._disk = disk
        self._journal = journal

    def recorder(self, claimed: Claimed, first: int) -> Recorder | None:
        """Of the call that begins with that tick; None: it is not recorded."""
        if self._disk is None or self._folder is None or not claimed.deployment.recording:
            return None
        conversation_id = claimed.context.conversation_id
        note = self._journal.of(conversation_id)

        def failed(reason: str) -> None:
            self._log.error(
                "call {id}: recording given up: {reason}", id=conversation_id, reason=reason
            )
            note.event("recording.failed", reason=reason)

        name = f"{conversation_id}.wav"
        note.recording(name)
        return Recorder(first, self._disk.open(self._folder / name, first, failed))
