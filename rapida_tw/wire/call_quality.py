"""What a call sounds like to people, estimated from loss and delay (ITU-T G.107, simplified)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Impairment of the codec itself and its robustness against random loss (G.113 appendix I, with
# concealment). G.722 and L16 are put on the narrowband scale like G.711: of wideband, G.107.1 has
# another. Opus has no published figures: unknown is unknown.
_G711: Final = (0.0, 25.1)
_CODECS: Final[Mapping[str, tuple[float, float]]] = {
    "pcmu": _G711,
    "pcma": _G711,
    "g722": _G711,
    "l16": _G711,
}
_WITHOUT_CONCEALMENT: Final = 4.3  # robustness of G.711 whose gaps are silence


def mos(
    loss_percent: float | None, delay_ms: float | None, codec: str, concealed: bool = True
) -> float | None:
    """Mean opinion score, 1 to 4.5 on the narrowband scale; None when anything is unknown.

    `loss_percent`: packets of the interval that were not heard, those that came too late included.
    `delay_ms`: one way, from mouth to ear.
    """
    figures = _CODECS.get(codec.lower())
    if figures is None or loss_percent is None or delay_ms is None:
        return None
    impairment, robustness = figures
    if not concealed:
        robustness = _WITHOUT_CONCEALMENT
    loss = min(max(loss_percent, 0.0), 100.0)
    delay = max(delay_ms, 0.0)
    by_delay = 0.024 * delay + (0.11 * (delay - 177.3) if delay > 177.3 else 0.0)
    by_loss = impairment + (95 - impairment) * loss / (loss + robustness)
    return _score(min(max(93.2 - by_delay - by_loss, 0.0), 100.0))


def _score(rating: float) -> float:
    """G.107 annex B; near 0 its cubic dips below 1."""
    return max(1.0, 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating))


def loss_percent(lost: int, heard: int) -> float | None:
    """Of an interval's packets; None when there were none."""
    return 100 * lost / (lost + heard) if lost + heard > 0 else None


def one_way_ms(
    round_trip: float | None, packet_ms: float = 20, buffer_ms: float = 0
) -> float | None:
    """Mouth to ear: half the network's round trip (seconds), one packet, what is buffered."""
    return None if round_trip is None else round_trip * 500 + packet_ms + buffer_ms
