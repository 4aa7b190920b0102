"""The search for words that decides whether a rule is asked at all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moor.wire.words import fewest, holds, holds_any

WORDS = st.sets(st.binary(min_size=1, max_size=4), max_size=6)


@given(st.binary(max_size=40), st.binary(max_size=4))
def test_a_word_is_found_wherever_it_stands(data: bytes, word: bytes) -> None:
    assert holds(data, word) == (word in data)


@given(st.binary(max_size=40), WORDS)
def test_one_of_several_is_enough(data: bytes, words: set[bytes]) -> None:
    assert holds_any(data, tuple(words)) == any(word in data for word in words)


@given(st.binary(max_size=40), WORDS)
def test_fewer_words_find_the_same_texts(data: bytes, words: set[bytes]) -> None:
    assert holds_any(data, fewest(words)) == holds_any(data, tuple(words))


def test_a_word_that_holds_another_one_is_left_out() -> None:
    assert fewest({b'"tool_', b'"tool_search_tool_', b'"scope"'}) == (b'"scope"', b'"tool_')
