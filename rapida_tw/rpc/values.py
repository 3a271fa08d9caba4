"""Dynamic values: `google.protobuf.Any` around a wrapper, and plain JSON, both ways.

The contract's section 4; times and bytes as protobuf's own JSON mapping has them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any as Anything

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import (
    BoolValue,
    BytesValue,
    DoubleValue,
    FloatValue,
    Int32Value,
    Int64Value,
    StringValue,
    UInt32Value,
    UInt64Value,
)

from rapida_tw.errors import BadRequest

DEEPEST = 32  # values within values
_EXACT = 2**53  # up to which a double is a whole number for sure
_INT64 = 2**63
_PREFIX = "google.protobuf."


def from_any(value: Any) -> Anything:
    """Plain JSON of it; an empty one is None. `BadRequest` for what is none of the known kinds."""
    return _from_any(value, 0)


def from_map(values: Mapping[str, Any]) -> dict[str, Anything]:
    """Each value of a map; `BadRequest` names the key that cannot be used."""
    read = {}
    for key, value in values.items():
        try:
            read[key] = from_any(value)
        except BadRequest as error:
            raise BadRequest(f"{key[:100]}: {error}") from None
    return read


def to_any(value: Anything) -> Any:
    """The wrapper that clients read it from; None is a null `Value`."""
    packed = Any()
    packed.Pack(_wrapped(value))
    return packed


def from_struct(struct: Struct) -> dict[str, Anything]:
    """Whole numbers are ints."""
    return _from_struct(struct, 0)


def to_struct(document: Mapping[str, Anything]) -> Struct:
    """Of plain JSON. Whole numbers that a double would change are texts, as JSON has ids here."""
    struct = Struct()
    struct.update({key: _fitting(value) for key, value in document.items()})
    return struct


def _from_any(value: Any, depth: int) -> Anything:
    if not value.type_url:
        return None
    if depth > DEEPEST:
        raise BadRequest("values are nested too deeply")
    name = value.type_url.rpartition("/")[2].removeprefix(_PREFIX)
    if name == "Any":
        inner = Any()
        _parse(inner, value.value)
        return _from_any(inner, depth + 1)
    kind = _KINDS.get(name)
    if kind is None:
        raise BadRequest(f"values of the type {name[:100]} are not understood")
    message, read = kind
    parsed = message()
    _parse(parsed, value.value)
    return read(parsed, depth)


def _parse(message: Message, data: bytes) -> None:
    try:
        message.ParseFromString(data)
    except DecodeError:
        raise BadRequest("a value cannot be decoded") from None


def _plain(message: Anything, depth: int) -> Anything:
    return message.value


def _text(message: Anything, depth: int) -> str:
    if "\0" in message.value:
        raise BadRequest("a text has a NUL in it")
    return str(message.value)


def _real(message: Anything, depth: int) -> float:
    if not isfinite(message.value):
        raise BadRequest("a value is no number that JSON knows")
    return float(message.value)


def _base64(message: Anything, depth: int) -> str:
    return b64encode(message.value).decode()


def _rfc3339(message: Anything, depth: int) -> str:
    try:
        return str(message.ToJsonString())
    except ValueError:
        raise BadRequest("a time is out of its bounds") from None


def _from_struct(struct: Struct, depth: int) -> dict[str, Anything]:
    return {key: _from_value(value, depth + 1) for key, value in struct.fields.items()}


def _from_list(values: ListValue, depth: int) -> list[Anything]:
    return [_from_value(value, depth + 1) for value in values.values]


def _from_value(value: Value, depth: int) -> Anything:
    if depth > DEEPEST:
        raise BadRequest("values are nested too deeply")
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _from_struct(value.struct_value, depth)
    if kind == "list_value":
        return _from_list(value.list_value, depth)
    if kind == "number_value":
        number = value.number_value
        if not isfinite(number):
            raise BadRequest("a value is no number that JSON knows")
        return int(number) if number.is_integer() and abs(number) <= _EXACT else number
    if kind == "string_value" and "\0" in value.string_value:
        raise BadRequest("a text has a NUL in it")
    return None if kind in (None, "null_value") else getattr(value, kind)


_KINDS: Mapping[str, tuple[type[Message], Callable[[Anything, int], Anything]]] = {
    **{
        kind.DESCRIPTOR.name: (kind, _plain)
        for kind in (
            BoolValue,
            *(Int32Value, Int64Value, UInt32Value, UInt64Value),
        )
    },
    "StringValue": (StringValue, _text),
    "DoubleValue": (DoubleValue, _real),
    "FloatValue": (FloatValue, _real),
    "BytesValue": (BytesValue, _base64),
    "Timestamp": (Timestamp, _rfc3339),
    "Duration": (Duration, _rfc3339),
    "Struct": (Struct, _from_struct),
    "ListValue": (ListValue, _from_list),
    "Value": (Value, _from_value),
}


def _wrapped(value: Anything) -> Message:
    if value is None:
        return Value(null_value=0)  # type: ignore[arg-type]  # NULL_VALUE
    if isinstance(value, bool):
        return BoolValue(value=value)
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return Int64Value(value=value)
    if isinstance(value, int | float):
        return DoubleValue(value=value)
    if isinstance(value, Mapping):
        return to_struct(value)
    if isinstance(value, list | tuple):
        values = ListValue()
        values.extend([_fitting(one) for one in value])
        return values
    return StringValue(value=str(value))


def _fitting(value: Anything) -> Anything:
    """As a Struct takes it."""
    if isinstance(value, Mapping):
        return {str(key): _fitting(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_fitting(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _EXACT:
        return str(value)
    return value
