"""Messages between the server and its recognition workers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.speech.worker_wire import Decoder, Kind, Message, final

messages = st.lists(
    st.builds(
        Message, st.sampled_from(list(Kind)), st.integers(0, 2**32 - 1), st.binary(max_size=40)
    ),
    max_size=5,
)


class WorkerWireTests(SynchronousTestCase):
    @given(messages, st.lists(st.integers(0, 300), max_size=6))
    def test_any_split(self, sent: list[Message], cuts: list[int]) -> None:
        """Where the pipe cuts the stream makes no difference."""
        stream = b"".join(message.encode() for message in sent)
        places = [0, *sorted(cuts), len(stream)]
        decoder = Decoder()
        got: list[Message] = []
        for start, end in pairwise(places):
            got += decoder.feed(stream[start:end])
        self.assertEqual(got, sent)

    @given(st.binary(max_size=60))
    def test_garbage(self, data: bytes) -> None:
        """Anything else is messages or a RemoteProtocolError, nothing worse."""
        try:
            for message in Decoder().feed(data):
                self.assertIsInstance(message.text, str)
        except RemoteProtocolError:
            return

    def test_too_long(self) -> None:
        """A length that no message of ours has is not waited for."""
        head = bytes((Kind.AUDIO, 0, 0, 0, 1)) + b"\xff\xff\xff\xff"
        with self.assertRaises(RemoteProtocolError):
            list(Decoder().feed(head))

    def test_final(self) -> None:
        """Words and score survive the pipe."""
        (message,) = Decoder().feed(final(7, "half past six", -0.0031).encode())
        self.assertEqual((message.call, message.words), (7, ("half past six", -0.0031)))

    def test_final_cut_short(self) -> None:
        """A final without a score is the worker's mistake."""
        with self.assertRaises(RemoteProtocolError):
            _ = Message(Kind.FINAL, 1, b"abc").words
