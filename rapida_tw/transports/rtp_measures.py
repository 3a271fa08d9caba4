"""How good a call's line was, in the names of the conversation's metrics."""

from __future__ import annotations

from collections.abc import Mapping

from rapida_tw.transports.rtcp_reports import Reports
from rapida_tw.wire.call_quality import loss_percent, mos, one_way_ms
from rapida_tw.wire.rtp import Sender
from rapida_tw.wire.rtp_receiver import Receiver

Measures = Mapping[str, tuple[str, Mapping[str, object]]]

_SCALE = "narrowband, ITU-T G.107 simplified"


def measured(
    receiver: Receiver, sender: Sender, reports: Reports, not_authentic: int = 0
) -> Measures:
    """Name to value and what else is known of it; what is not known is left out.

    Without RTCP from the far side there is no round trip, and without that no score.
    `not_authentic`: packets that SRTP refused.
    """
    measures: dict[str, tuple[str, Mapping[str, object]]] = {}
    codec = receiver.codec.name if receiver.codec is not None else ""
    delay = one_way_ms(reports.round_trip)
    if receiver.received:
        reorder = receiver.reorder
        heard = max(0, receiver.received - reorder.late - reorder.duplicates)
        percent = loss_percent(reorder.lost, heard)
        measures["media.packets_lost"] = (
            str(reorder.lost),
            {
                "percent": round(percent or 0.0, 2),
                "received": receiver.received,
                "late": reorder.late,
                "duplicates": reorder.duplicates,
                "streams": receiver.streams,
                "codec": codec,
            },
        )
        jitter = receiver.statistics.jitter_seconds
        measures["media.jitter_ms"] = (f"{1000 * jitter:.1f}", {})
        _add_score(measures, "media.mos", mos(percent, delay, codec))
    if sender.packets:
        measures["media.packets_sent"] = (str(sender.packets), {"octets": sender.octets})
        if (block := reports.block) is not None:
            percent = min(100.0, max(0.0, 100 * block.lost / sender.packets))
            measures["media.packets_lost_by_far_side"] = (
                str(block.lost),
                {"percent": round(percent, 2)},
            )
            _add_score(measures, "media.mos_of_far_side", mos(percent, delay, codec))
    if reports.round_trip is not None:
        measures["media.round_trip_ms"] = (
            f"{1000 * reports.round_trip:.1f}",
            {"reports": reports.round_trips},
        )
    refused = dict(receiver.dropped)
    if not_authentic:
        refused["not-authentic"] = not_authentic
    if refused:
        measures["media.packets_dropped"] = (str(sum(refused.values())), refused)
    return measures


def _add_score(
    measures: dict[str, tuple[str, Mapping[str, object]]], name: str, score: float | None
) -> None:
    if score is not None:
        measures[name] = (f"{score:.2f}", {"scale": _SCALE})
