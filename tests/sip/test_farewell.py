"""What our BYE tells the far side of why a call ended."""

from __future__ import annotations

import pytest

from rapida_tw.errors import (
    IDLE_TIMEOUT,
    MEDIA_TIMEOUT,
    NETWORK_FAILED,
    PROVIDER_FAILED,
    REMOTE_HANGUP,
    End,
)
from rapida_tw.sip.farewell import reason_for_them


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (None, 'Q.850;cause=16;text="Normal call clearing"'),
        (REMOTE_HANGUP, 'Q.850;cause=16;text="Normal call clearing"'),
        (IDLE_TIMEOUT.because("nobody spoke"), 'Q.850;cause=16;text="Normal call clearing"'),
        (MEDIA_TIMEOUT.because("no audio"), 'Q.850;cause=102;text="RTP timeout"'),
        (NETWORK_FAILED, "Q.850;cause=102"),
        (PROVIDER_FAILED.because("acme: the account is empty"), "Q.850;cause=31"),
    ],
    ids=str,
)
def test_reason(end: End | None, said: str) -> None:
    """A cause, and words of our own: what went wrong in the house is nobody's business."""
    assert str(reason_for_them(end)) == said
