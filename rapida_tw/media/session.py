"""MediaSession: joins one leg to one pipeline; the only thing the MediaClock knows of a call.

Arrival: payload → samples at 16 kHz → frames → recorder, listener, in the same reactor turn.
Beat: playout → recorder → the leg's rate and encoding → leg. All plain calls.

A far side that buffers (`AudioFormat.lead`) is kept that many frames ahead, asked by marks what it
has played, and emptied when the playout takes frames back.

On hold time stands still: nothing is taken from the playout, heard, recorded or missed.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from rapida_tw.audio.concealment import Concealment
from rapida_tw.audio.format import (
    FRAME,
    RATE,
    SILENCE,
    TICKS_PER_SECOND,
    AudioFormat,
    Samples,
    ticks,
)
from rapida_tw.audio.resample import Resampler
from rapida_tw.errors import FAR_END_STALLED, INTERNAL_ERROR, MEDIA_TIMEOUT, End
from rapida_tw.media.clock import MediaClock
from rapida_tw.media.codecs import CODECS, codec_for
from rapida_tw.media.leg import Leg, LegListener
from rapida_tw.media.playout import Playout
from rapida_tw.media.straight import joined

# A phone that suppresses silence and a stalled network look the same: both are heard as silence.
SILENT_AFTER = 5  # ticks without a frame
_AT_ONCE = 10  # frames that are converted together, which costs a third of one by one
ECHO_WITHIN = 1 * TICKS_PER_SECOND  # of what was sent; a vendor that hears it tells it late
STALLED_AFTER = 5 * TICKS_PER_SECOND  # the far side takes no audio


class Hearing(Protocol):
    """Who hears the caller."""

    def hear(self, frame: Samples) -> None: ...


class Tap(Protocol):
    """Who records both sides (media/recorder.py)."""

    def caller_frame(self, tick: int, frame: Samples) -> None: ...
    def assistant_frame(self, tick: int, frame: Samples) -> None: ...
    def assistant_cleared(self, tick: int) -> None: ...


class SessionEvents(Protocol):
    """What a session tells its call; rare events, never frames."""

    def digit_received(self, digit: str) -> None: ...
    def hold_changed(self, held: bool) -> None: ...
    def leg_ended(self, end: End) -> None: ...


class MediaSession:
    """The LegListener of a call, and its place on the beat."""

    def __init__(
        self, leg: Leg, clock: MediaClock, playout: Playout, hearing: Hearing, events: SessionEvents
    ) -> None:
        self._leg = leg
        self._clock = clock
        self._playout = playout
        self._hearing = hearing
        self._events = events
        self.recorder: Tap | None = None
        self.started = clock.now
        # Ticks are counted, not subtracted: when our own process stood still, nobody was silent.
        self._missing = 0  # ticks since the latest arrival
        self._excused = 0  # of them, up to the latest sign of life without audio
        self._heard = SILENCE  # the latest frame of the caller's side
        self._concealment: Concealment | None = None  # audio was lost, and none has come since
        self._held = False
        self._full = False
        self._full_for = 0  # ticks
        self._rest = np.zeros(0, np.int16)
        self._prepared: deque[bytes] = deque()  # the payloads of the next frames to be said
        self._cuts = 0  # of the playout, when they were
        self._direct: tuple[Samples, bytes] | None = None  # the latest frame, if it was the voice's
        self._was_speaking = False
        self._open = True
        self._hears = True  # open, and not on hold
        self._sounded: Callable[[], None] | None = None
        self.spoken = 0  # ticks of the assistant's voice in the whole call
        self._latest = clock.now  # the latest beat, with a lead
        self._place = clock.now  # the tick in which the next frame is heard, with a lead
        self._said = -ECHO_WITHIN  # the tick in which the latest frame is heard
        self._payloads = playout.payloads
        playout.forget = self._forgotten
        self._read_as(leg.format)
        clock.add(self)

    def close(self) -> None:
        """Off the beat; idempotent."""
        self._open = self._hears = False
        self._clock.remove(self)

    def at_next_sound(self, sounded: Callable[[], None] | None) -> None:
        """Call `sounded` once, when the next frame of the assistant is sent; None forgets it."""
        self._sounded = sounded

    def echoes(self) -> bool:
        """What the caller's side sends now may be an echo of what we have sent."""
        return self._clock.now - self._said < ECHO_WITHIN

    # -- LegListener: the caller's side, on arrival -----------------------------------------------

    def audio_received(self, payload: bytes, sequence: int | None = None) -> None:
        if not self._hears:
            return
        self._missing = 0
        gathering = self._clock.gathering
        if gathering.open and self._concealment is None:
            whole = len(payload) == self._frame_bytes and not len(self._rest)
            gathering.add(self, payload, whole)
        else:
            self.payload_arrived(payload)

    def payload_arrived(self, payload: bytes) -> None:
        """Decode it alone, and hear the whole frames that it completes."""
        if not self._hears:
            return
        samples = self.to_samples(self._decode(payload))
        if self._concealment is not None and len(samples):
            samples, self._concealment = self._concealment.into(samples), None
        self._hear_all(samples)

    def _hear_all(self, samples: Samples) -> None:
        """Hear the whole frames that these complete."""
        if len(samples) == FRAME and not len(self._rest):
            self._hear(samples)
            return
        samples = np.concatenate((self._rest, samples))
        whole = len(samples) // FRAME * FRAME
        self._rest = samples[whole:]
        for frame in samples[:whole].reshape(-1, FRAME):
            if not self._hears:  # what the frame before it said has ended the call
                return
            self._hear(frame)

    def frame_arrived(self, frame: Samples) -> None:
        """A frame that was decoded together with others."""
        if self._hears:
            self._hear(frame)

    def _hear(self, frame: Samples) -> None:
        if self.recorder is not None:
            self.recorder.caller_frame(self._clock.now, frame)
        self._heard = frame
        self._hearing.hear(frame)

    def audio_lost(self, seconds: float) -> None:
        self._clock.gathering.hear(self)  # what waits there came before
        if not self._hears:
            return
        missed = self._missed(seconds)
        if self._lost is not None:
            self._hear_all(self._lost(missed))
            return
        if self._concealment is None:
            self._concealment = Concealment(np.concatenate((self._heard, self._rest))[-FRAME:])
        self._hear_all(self._concealment.take(missed))

    def audio_paused(self, seconds: float) -> None:
        self._clock.gathering.hear(self)
        if not self._hears:
            return
        self._heard = SILENCE
        # Not for the recorder, in which what does not come is silent by itself.
        for _ in range(self._missed(seconds) // FRAME):
            if self._hears:
                self._hearing.hear(SILENCE)

    def _missed(self, seconds: float) -> int:
        """Samples of so much time of which nothing was heard: they count as arrived from now on.

        As many as there was time for since the latest arrival, and no more: neither a burst after a
        stall, nor whoever invents pauses, makes what is heard run ahead of the clock.
        """
        missing, self._missing = self._missing, 0
        told = min(round(seconds * RATE), (missing + SILENT_AFTER) * FRAME)
        return max(told - max(missing - SILENT_AFTER, 0) * FRAME, 0)

    def alive(self) -> None:
        self._excused = self._missing

    def hold_changed(self, held: bool) -> None:
        self._clock.gathering.hear(self)
        if held == self._held or not self._open:
            return
        self._held = held
        self._hears = not held
        self._missing = 0
        self._heard, self._rest = SILENCE, SILENCE[:0]
        self._concealment = None
        self._stop_sounding()
        self._events.hold_changed(held)

    def format_changed(self, format: AudioFormat) -> None:
        self._read_as(format)

    def digit_received(self, digit: str) -> None:
        if self._open:
            self._events.digit_received(digit)

    def mark_heard(self, name: str) -> None:
        self._playout.mark_heard(name)

    def far_end_full(self, full: bool) -> None:
        if full != self._full:
            self._full = full
            self._full_for = 0

    def leg_ended(self, end: End) -> None:
        if self._open:
            self.close()
            self._events.leg_ended(end)

    # -- Ticking: the assistant's side, on the beat -----------------------------------------------

    def tick(self, now: int) -> None:
        if self._held:
            return
        self._missing += 1
        if self._missing > SILENT_AFTER:
            if self._missing == SILENT_AFTER + 1:
                self._excused = 0  # of another pause
            if self._missing - self._excused > self._patience:
                self.leg_ended(MEDIA_TIMEOUT.because("no audio from the caller's side"))
                return
            self._heard = SILENCE
            self._hearing.hear(SILENCE)
        if self._full:
            self._full_for += 1
            self._latest = now + self._clock.behind  # what stands still is not played
            if self._full_for > STALLED_AFTER:
                self.leg_ended(FAR_END_STALLED.because("the far side takes no audio"))
            return
        if self._lead:
            self._keep_ahead(now + self._clock.behind)
            return
        playout = self._playout
        playout.played()
        if not self._open:  # what was heard, or played to its end, has ended the call
            return
        frame = playout.take()
        if frame is None:
            self._be_silent()
        else:
            self._send(now, frame)

    def _keep_ahead(self, now: int) -> None:
        """Fill the far side's buffer, once, then keep it full.

        It plays while we stand still. So `now` is the present tick: beats that are made up after
        that find the buffer filled by the first of them.
        """
        playout = self._playout
        elapsed, self._latest = now - self._latest, now
        playout.played(elapsed)
        while self._open and playout.behind(self._lead) and (frame := playout.take()) is not None:
            self._place = max(self._place, now) + 1
            self._send(now, frame)
            if (name := playout.mark()) is not None:
                self._leg.mark(name)
        # Silence on top of what it has yet to play would make the buffer deeper for ever.
        if self._open and elapsed and playout.behind(0):
            self._be_silent()

    def _forgotten(self, frames: int) -> None:
        """The playout takes back so many frames that the far side has not played."""
        self.spoken -= frames
        self._place -= frames
        self._said = self._place
        self._from_samples.reset()
        self._direct = None
        if self.recorder is not None:
            self.recorder.assistant_cleared(self._place)
        if self._open:
            self._leg.clear()

    def failed(self) -> None:
        """MediaClock caught an error of ours: only this call ends."""
        self.leg_ended(INTERNAL_ERROR)

    def _send(self, now: int, frame: Samples) -> None:
        if self._sounded is not None:
            sounded, self._sounded = self._sounded, None
            sounded()
        if self.recorder is not None:
            self.recorder.assistant_frame(now, frame)
        self.spoken += 1
        self._was_speaking = True
        self._said = self._place if self._lead else now
        if (self._payloads or self._direct) and (payload := self._own_or_behind(frame)):
            self._leg.send_audio(payload)
        else:
            self._leg.send_audio(self._encode(frame) if self._same_rate else self._payload(frame))

    def _payload(self, frame: Samples) -> bytes:
        """The frame in the leg's format; of many that wait, several are converted at once."""
        prepared = self._prepared
        if self._cuts != self._playout.cuts:  # others will be said than those that were prepared
            self._cuts = self._playout.cuts
            if prepared:
                prepared.clear()
                self._from_samples.reset()
        if prepared:
            return prepared.popleft()
        coming = self._playout.coming(_AT_ONCE - 1)
        if not coming:
            return self._encode(self._from_samples(frame))
        sound = self._encode(self._from_samples(np.concatenate((frame, *coming))))
        size = len(sound) // _AT_ONCE
        prepared.extend(sound[at : at + size] for at in range(size, len(sound), size))
        return sound[:size]

    def _own_or_behind(self, frame: Samples) -> bytes:
        """The frame as the voice made it, or right behind such a one; b"": neither."""
        payload = self._playout.payload
        if payload:
            self._direct = frame, payload
        elif self._direct is not None:
            payload = self._behind(self._direct, frame)
        return payload

    def _behind(self, direct: tuple[Samples, bytes], frame: Samples) -> bytes:
        """The frame in the leg's format, behind one that the voice itself has made."""
        before, payload = direct
        self._direct = None
        self._prepared.clear()
        self._cuts = self._playout.cuts
        self._from_samples.reset()
        # The filter is given what came before, and what it has made of it tells the step.
        own, ours = self._decode(payload), self._from_samples(before)
        sound = joined(self._from_samples(frame), int(own[-1]) - int(ours[-1]), self.format.rate)
        return self._encode(sound)

    def _be_silent(self) -> None:
        ends = self._was_speaking and not self._prepared  # else it pauses, and will go on
        self._was_speaking = False
        direct, self._direct = self._direct, None
        if not self._continuous:
            if ends:
                self._from_samples.reset()  # the next utterance does not begin with this one's end
        elif direct is not None:
            self._leg.send_audio(self._behind((SILENCE, direct[1]), SILENCE))
        elif ends:
            # One frame of silence through the filter lets its tail out: no click.
            self._leg.send_audio(self._encode(self._from_samples(SILENCE)))
        else:
            self._leg.send_audio(self._silence or self._encode(SILENCE))

    def _stop_sounding(self) -> None:
        """The next frame does not go on from the latest one."""
        self._prepared.clear()
        self._direct = None
        self._was_speaking = False
        self._from_samples.reset()

    # -- formats ----------------------------------------------------------------------------------

    def _read_as(self, format: AudioFormat) -> None:
        self._clock.gathering.flush()  # what waits there is of the former format
        self.format = format
        self._frame_bytes = format.frame_bytes
        self._decode, self._encode, self._lost = codec_for(format.encoding)
        self.to_samples = Resampler(format.rate, RATE)
        self._from_samples = Resampler(RATE, format.rate)
        # b"" where each frame depends on those before it: such a codec encodes silence, too.
        alike = format.encoding in CODECS
        self._silence = self._encode(Resampler(RATE, format.rate)(SILENCE)) if alike else b""
        self._same_rate = format.rate == RATE
        self._prepared.clear()
        self._direct = None
        self._continuous = format.continuous
        self._patience = ticks(format.patience) if format.patience else sys.maxsize
        self._lead = format.lead
        self._playout.set_format(format)
        self._playout.set_lead(format.lead, format.chunk)


_conforms: type[LegListener] = MediaSession
