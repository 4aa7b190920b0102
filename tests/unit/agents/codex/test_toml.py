from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.agents.codex.toml import dump

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_what_is_written_is_read_again(config: dict[str, Any]) -> None:
    assert tomllib.loads(dump(config)) == config


@pytest.mark.parametrize("value", [None, {"a": None}])
def test_a_none_is_left_out(value: Any) -> None:
    assert tomllib.loads(dump({"x": value, "y": 1})) in ({"y": 1}, {"x": {}, "y": 1})
