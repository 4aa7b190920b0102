"""Numbers that an agent takes for a status are told in another form, and read the same."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.wire.numbers import as_meant, parted, parted_body

STATUS = re.compile("429|500|502|503|504|524")
DIGITS = st.text("024539 ", max_size=12)
VALUES = st.recursive(
    DIGITS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(DIGITS, inner, max_size=3),
)


@given(DIGITS)
def test_no_text_holds_such_a_number_and_all_of_it_is_there(text: str) -> None:
    assert not STATUS.search(parted(text))
    assert as_meant(parted(text)) == text


@given(VALUES)
def test_no_document_does(value: object) -> None:
    body = json.dumps(value).encode()
    assert not STATUS.search(parted_body(body).decode())


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "temperature must be 1", "code": 400}}',
        b'{"error":{"message":"no such model"}}',
        b"",
        b"\xff 500",
    ],
)
def test_a_body_without_one_keeps_its_bytes(body: bytes) -> None:
    assert parted_body(body) is body


@pytest.mark.parametrize("text", ["limit 50000", '{"error": "50000"', "[" * 5000 + "500"])
def test_what_is_no_json_is_a_text(text: str) -> None:
    assert parted_body(text.encode()).decode() == parted(text)


def test_an_escape_stays_one_character() -> None:
    assert json.loads(parted_body(b'{"a": "\\u0500 and 502"}'))["a"] == parted("\u0500 and 502")
