"""Changing a JSON body without writing it anew: only the touched spans differ, the rest stays byte for byte.

The same input gives the same output at every turn, so that a conversation's prefix keeps its bytes and
an upstream's prompt cache its hits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from moor.wire.index import Index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Buffer: TypeAlias = bytes | memoryview | msgspec.Raw
"""JSON text: bytes of its own, or a view of some"""

_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY: Final = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder()


def splice(index: Index, changes: Mapping[str, bytes | None]) -> Index:
    """The body with top-level values replaced (bytes), removed (None), or added at the end (unknown key).

    With its index: where each value now stands follows from the changes, and a large body is not read again.
    """
    if any(value is None for value in changes.values()):
        return _rebuild(index, changes)
    body = memoryview(index.body)
    pieces: list[Buffer] = []
    spans: dict[str, tuple[int, int]] = {}
    at = shift = 0
    for key, (start, end) in index.spans.items():
        value = changes.get(key)
        first = start + shift
        if value is not None:
            pieces += [body[at:start], value]
            at = end
            shift += len(value) - (end - start)
        spans[key] = (first, end + shift)
    brace = index.body.rindex(b"}")
    pieces.append(body[at:brace])
    size = brace + shift
    for key, value in changes.items():
        if key not in index.spans and value is not None:
            name = b"%s%s:" % (b"," if spans else b"", _ENCODER.encode(key))
            pieces += [name, value]
            size += len(name) + len(value)
            spans[key] = (size - len(value), size)
    return Index(b"".join([*pieces, body[brace:]]), spans)


def _rebuild(index: Index, changes: Mapping[str, bytes | None]) -> Index:
    """Top-level keys written anew around values that keep their bytes."""
    body = memoryview(index.body)
    values: dict[str, Buffer | None] = {
        key: changes[key] if key in changes else body[start:end] for key, (start, end) in index.spans.items()
    }
    values.update({key: value for key, value in changes.items() if key not in values})
    pieces: list[Buffer] = []
    spans: dict[str, tuple[int, int]] = {}
    size = 0
    for key, value in values.items():
        if value is not None:
            name = b"%s%s:" % (b"," if spans else b"{", _ENCODER.encode(key))
            pieces += [name, value]
            size += len(name) + len(value)
            spans[key] = (size - len(value), size)
    return Index(b"".join([*pieces, b"}" if pieces else b"{}"]), spans)


def elements(raw: Buffer) -> list[Buffer] | None:
    """The elements of a JSON array, each a view of its own bytes; None where it is no array that can be read."""
    try:
        return [*_ARRAY.decode(raw)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def members(raw: bytes) -> dict[str, bytes] | None:
    """The members of a JSON object, each value as its own bytes; None where it is no object that can be read."""
    try:
        return {key: bytes(memoryview(value)) for key, value in _OBJECT.decode(raw).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def value(raw: Buffer) -> Any:
    """The value itself, or None where it cannot be read (a lone surrogate, too deep)."""
    try:
        return _ANY.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def array(items: list[Buffer]) -> bytes:
    """A compact JSON array of values that are JSON already."""
    return b"[%s]" % b",".join(items)


def obj(values: Mapping[str, bytes]) -> bytes:
    """A compact JSON object of values that are JSON already."""
    return b"{%s}" % b",".join([b"%s:%s" % (_ENCODER.encode(key), raw) for key, raw in values.items()])


def encode(item: Any) -> bytes:
    """Compact JSON."""
    return _ENCODER.encode(item)


def map_elements(raw: bytes, change: Callable[[bytes], bytes | None]) -> bytes | None:
    """The array with each element passed through `change` (None removes it); None when nothing changed."""
    items = elements(raw)
    if items is None:
        return None
    before = [bytes(item) for item in items]
    after = [change(item) for item in before]
    if all(new is old for new, old in zip(after, before, strict=True)):
        return None
    return array([item for item in after if item is not None])
