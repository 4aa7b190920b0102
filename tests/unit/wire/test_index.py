"""The index of top-level keys agrees with a full parse, and refuses what could be read in two ways."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moor.errors.wire import BodyNotObjectError, DuplicateKeyError
from moor.wire.index import index_object

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
OBJECTS = st.dictionaries(st.text(max_size=8), VALUES, max_size=8)


def folded_twins(keys: Any) -> bool:
    """Whether two keys differ in case only."""
    return len({key.casefold() for key in keys}) != len(list(keys))


@given(
    found=OBJECTS,
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
    pad=st.sampled_from(["", " ", "\n\t"]),
    compact=st.booleans(),
)
def test_spans_hold_exactly_the_values(
    found: dict[str, Any], indent: int | None, ascii_only: bool, pad: str, compact: bool
) -> None:
    separators = (",", ":") if compact and indent is None else None
    text = pad + json.dumps(found, indent=indent, ensure_ascii=ascii_only, separators=separators) + pad
    body = text.encode("utf-8", "surrogatepass")
    if folded_twins(found):
        with pytest.raises(DuplicateKeyError):
            index_object(body)
        return
    index = index_object(body)
    assert list(index.spans) == list(found)
    for key, item in found.items():
        raw = index.raw(key)
        assert raw is not None
        assert json.loads(raw) == item


@given(found=OBJECTS.filter(bool), data=st.data(), spaced=st.booleans(), escaped=st.booleans())
def test_a_key_that_occurs_twice_is_refused_wherever_it_stands(
    found: dict[str, Any], data: Any, spaced: bool, escaped: bool
) -> None:
    members = [(json.dumps(key), json.dumps(item)) for key, item in found.items()]
    key = data.draw(st.sampled_from(list(found)))
    again = json.dumps(key)
    if escaped and key:
        again = f'"\\u{ord(key[0]):04x}' + json.dumps(key[1:])[1:] if ord(key[0]) < 0xD800 else again
    value = data.draw(VALUES)
    members.insert(data.draw(st.integers(0, len(members))), (again, json.dumps(value)))
    gap = " " if spaced else ""
    body = "{" + f"{gap},{gap}".join(f"{name}{gap}:{gap}{item}" for name, item in members) + "}"
    with pytest.raises(DuplicateKeyError):
        index_object(body.encode())


@pytest.mark.parametrize(
    "body",
    [b'{"a":1,"a":12}', b'{"a":12,"a":1}', b'{"a":1 ,"a":1}', b'{"a":"x","b":2,"\\u0061":"x"}', b'{"a":1,"A":2}'],
)
def test_twins_whose_values_begin_alike_are_refused(body: bytes) -> None:
    with pytest.raises(DuplicateKeyError):
        index_object(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b"1",
        b'"a"',
        b"{",
        b'{"a"}',
        b'{"a":}',
        b'{"a":1,}',
        b'{"a":1}}',
        b'{"a":1}x',
        b"{a:1}",
        b"{'a':1}",
    ],
)
def test_what_is_not_one_object_is_refused(body: bytes) -> None:
    with pytest.raises(BodyNotObjectError):
        index_object(body)


@given(body=st.binary(max_size=60))
@example(b'{"a":"\xff"}')
@example(b'{"\xff":1}')
@example(b'{"a":NaN}')
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    try:
        index = index_object(body)
    except (BodyNotObjectError, DuplicateKeyError):
        return
    assert all(body[start:end].strip() for start, end in index.spans.values())


def test_a_lone_surrogate_of_a_cut_emoji_passes() -> None:
    body = b'{"model":"m","messages":[{"content":"cut \\ud83d"}],"n": 1}'
    index = index_object(body)
    assert (index.text("model"), index.number("n")) == ("m", 1)
    with pytest.raises(DuplicateKeyError):
        index_object(b'{"model":"m","x":"\\ud83d","model":"n"}')


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    for deep in (b"[" * 200_000 + b"]" * 200_000, b'"\\ud800",' + b'"b":' + b"[" * 200_000 + b"]" * 200_000):
        with pytest.raises(BodyNotObjectError):
            index_object(b'{"a":' + deep + b"}")


def test_small_values_are_read_by_kind() -> None:
    index = index_object(b'{"s":"a\\nb","n":7,"neg":-1,"x":null}')
    assert (index.text("s"), index.number("n"), index.number("neg"), index.text("x"), index.text("y")) == (
        "a\nb",
        7,
        None,
        None,
        None,
    )
