"""What operators count of all vendors of speech."""

from __future__ import annotations

from rapida_tw.metrics import Counter, Histogram

reconnects = Counter(
    "rapida_vendor_reconnects_total", "Connections that replaced a lost one.", ("vendor",)
)
dropped = Counter(
    "rapida_vendor_audio_dropped_seconds_total",
    "Audio of callers that a vendor did not take in time.",
    ("vendor",),
)
retries = Counter(
    "rapida_voice_retries_total", "What a voice's vendor was asked for twice.", ("vendor",)
)
garbage = Counter(
    "rapida_voice_bad_messages_total", "Messages of voices that were not understood.", ("vendor",)
)
answered = Histogram(
    "rapida_recognition_final_seconds",
    "From the end of a turn to its final words.",
    (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0),
    ("vendor",),
)
