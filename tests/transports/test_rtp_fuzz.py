"""Whatever comes to a call's ports, the call goes on and nothing raises."""

from __future__ import annotations

import struct
import unittest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapida_tw.wire.sdp import Keys
from tests.transports.rtp_case import EVENT, OPUS, OURS, PCMA, PCMU, RtpCase

KEYS = Keys("AES_CM_128_HMAC_SHA1_80", bytes(30), bytes(30))

# Mostly what is nearly right: numbers close to each other, types that were agreed on.
near = st.integers(0, 40) | st.integers(0, 65_535)
packets = st.builds(
    lambda first, kind, number, time, ssrc, payload: (
        struct.pack("!BBHII", first, kind, number, time * 160 % 2**32, ssrc) + payload
    ),
    st.sampled_from([0x80, 0x80, 0x80, 0x90, 0xA0, 0xB3, 0x40]),
    st.sampled_from([0, 8, 13, 97, 101, 0x80, 200, 201, 203, 207]),
    near,
    near,
    st.sampled_from([1, 1, 1, 2]),
    st.binary(max_size=40) | st.sampled_from([b"s" * 160, b"\x05\x8a\x02\x80", b"\xf8\xff\xfe"]),
)
steps = st.tuples(
    st.sampled_from(["rtp", "rtp", "rtcp", "stranger"]),
    st.binary(max_size=60) | packets,
    st.sampled_from([0.0, 0.005, 0.02, 0.2]),
)


class Fuzzed(RtpCase):
    def runTest(self) -> None:
        """Nothing is done by itself: the test below does it."""


@pytest.mark.parametrize("way", ["clear", "muxed", "secret"])
@settings(max_examples=60, deadline=None)
@given(sequence=st.lists(steps, max_size=40))
def test_anything(way: str, sequence: list[tuple[str, bytes, float]]) -> None:
    """Strangers get no answer, errors are none, and the next packet of the phone is heard."""

    class Case(Fuzzed):
        def runTest(self) -> None:
            self.up(
                receive={0: PCMU, 8: PCMA, 97: OPUS},
                event=EVENT,
                comfort_noise=13,
                rtcp_mux=way == "muxed",
                keys=KEYS if way == "secret" else None,
            )
            senders = {
                # Another port of the phone may be where it sends from.
                "rtp": (self.phone.rtp, (0, 1)),
                "rtcp": (self.phone.rtcp, (1,)),
                "stranger": (self.stranger, (0, 1)),
            }
            for sender, data, seconds in sequence:
                source, ports = senders[sender]
                for port in ports:
                    source.send(data, (OURS, self.stream.port + port))
                self.clock.advance(0)
                self.run_for(seconds)
            self.run_for(0.3)
            self.assertEqual(self.answered, [])
            self.assertEqual(self.listener.all("end"), [])
            sent = len(self.phone.packets)
            self.run_for(0.1)
            self.assertEqual(len(self.phone.packets) - sent, 5)
            if way != "secret":
                heard = len(self.listener.heard)
                self.run_for(3)
                self.talk(10)
                self.assertGreater(len(self.listener.heard), heard)
            self.stream.measures()

    result = unittest.TestResult()
    Case("runTest").run(result)
    assert not result.failures, result.failures[0][1]
    assert not result.errors, result.errors[0][1]
