"""Dynamic values, both ways."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from rapida_tw.errors import BadRequest
from rapida_tw.rpc.values import from_any, from_map, from_struct, to_any, to_struct


def packed(message: Message) -> AnyMessage:
    any_ = AnyMessage()
    any_.Pack(message)
    return any_


def struct(**values: Any) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(values)
    return made


KINDS: list[tuple[Message, Any]] = [
    (wrappers_pb2.StringValue(value="grüß"), "grüß"),
    (wrappers_pb2.BoolValue(value=False), False),
    (wrappers_pb2.Int32Value(value=-7), -7),
    (wrappers_pb2.UInt32Value(value=7), 7),
    (wrappers_pb2.Int64Value(value=-(2**63)), -(2**63)),
    (wrappers_pb2.UInt64Value(value=2**64 - 1), 2**64 - 1),
    (wrappers_pb2.DoubleValue(value=2.5), 2.5),
    (wrappers_pb2.FloatValue(value=0.5), 0.5),
    (wrappers_pb2.BytesValue(value=b"\0\xff"), "AP8="),
    (timestamp_pb2.Timestamp(seconds=0, nanos=5_000_000), "1970-01-01T00:00:00.005Z"),
    (duration_pb2.Duration(seconds=90), "90s"),
    (struct(a=1, b=[True, None, {"c": 1.5}]), {"a": 1, "b": [True, None, {"c": 1.5}]}),
    (struct_pb2.Value(number_value=3), 3),
    (struct_pb2.Value(null_value=0), None),  # type: ignore[arg-type]
    (struct_pb2.ListValue(values=[struct_pb2.Value(string_value="x")]), ["x"]),
    (packed(wrappers_pb2.StringValue(value="inner")), "inner"),
]


@pytest.mark.parametrize(("message", "plain"), KINDS, ids=lambda one: type(one).__name__)
def test_kinds(message: Message, plain: Any) -> None:
    """Each kind of wrapper as plain JSON."""
    assert from_any(packed(message)) == plain


def test_nothing() -> None:
    """A value that is none."""
    assert from_any(AnyMessage()) is None


@pytest.mark.parametrize(
    "plain", ["text", True, 7, -(2**62), 2.5, None, {"a": [1, {"b": None}]}, ["x", 2], {}, []]
)
def test_there_and_back(plain: Any) -> None:
    """What we write we read the same."""
    assert from_any(to_any(plain)) == plain


@pytest.mark.parametrize(
    "message",
    [
        wrappers_pb2.DoubleValue(value=float("nan")),
        wrappers_pb2.FloatValue(value=float("inf")),
        struct(a=float("nan")),
        timestamp_pb2.Timestamp(seconds=2**60),
    ],
    ids=lambda one: type(one).__name__,
)
def test_no_json(message: Message) -> None:
    """What JSON does not know."""
    with pytest.raises(BadRequest):
        from_any(packed(message))


def test_unknown() -> None:
    """The key is named, the type is."""
    odd = AnyMessage(type_url="type.googleapis.com/acme.Thing")
    with pytest.raises(BadRequest, match=r"^a: .*acme\.Thing"):
        from_map({"a": odd})


def test_depth() -> None:
    """Neither values in values nor structs in structs without end."""
    value = packed(wrappers_pb2.StringValue(value="x"))
    for _ in range(60):
        value = packed(value)
    with pytest.raises(BadRequest):
        from_any(value)
    document: dict[str, Any] = {}
    for _ in range(40):
        document = {"a": document}
    with pytest.raises(BadRequest):
        from_struct(to_struct(document))


def test_large_numbers() -> None:
    """A double would change an id: it is a text then, as everywhere in our JSON."""
    assert from_struct(to_struct({"id": 2**60 + 1, "n": 2**53})) == {
        "id": str(2**60 + 1),
        "n": 2**53,
    }
