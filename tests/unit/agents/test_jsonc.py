from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.agents.jsonc import loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_comments_and_trailing_commas_are_dropped() -> None:
    text = '{ // one\n "a": [1, 2, /* two */ ], "b": {"c": "d",}, /* end */ }'
    assert loads(text) == {"a": [1, 2], "b": {"c": "d"}}


def test_what_looks_like_a_comment_inside_a_string_stays() -> None:
    assert loads('{"a": "http://x/*y*/,}", "b": "\\"//"}') == {"a": "http://x/*y*/,}", "b": '"//'}


@pytest.mark.parametrize("text", ["{", '{"a": }', "", "nonsense", '{"a": 1 "b": 2}', "[" * 100_000])
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        loads(text)


@given(VALUES)
def test_plain_json_reads_as_itself(value: object) -> None:
    assert loads(json.dumps(value)) == value
    assert loads(json.dumps(value, indent=2)) == value
