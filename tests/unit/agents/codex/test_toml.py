from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from moor.agents.codex.toml import settings

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    (setting,) = settings({"key": value})
    assert "\n" not in setting
    assert tomllib.loads(setting) == {"key": value}


def test_a_none_is_left_out() -> None:
    assert settings({"x": None, "y": {"a": None}}) == ["y={}"]
