"""Whatever a peer sent fits a column."""

from __future__ import annotations

import math
import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from moor.store.rows import INT_MAX, cell

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.text(st.characters(categories=["Cs", "L"])),
    st.dictionaries(st.text(), st.text(st.characters(categories=["Cs", "L"]))),
    st.tuples(st.text(), st.text()),
)


@given(anything)
def test_any_value_can_be_stored_where_null_is_not_allowed_unless_it_is_none(value: object) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (v NOT NULL)")
    if value is not None:
        connection.execute("INSERT INTO t VALUES (?)", (cell(value),))
    connection.close()


def test_numbers_keep_their_value_or_are_cut_to_what_a_sum_can_hold() -> None:
    assert cell(7) == 7
    assert cell(1 << 90) == INT_MAX
    assert cell(-(1 << 90)) == -INT_MAX
    assert cell(math.nan) == 0.0
    assert cell(1.5) == 1.5
    assert cell("ü") == "ü"
