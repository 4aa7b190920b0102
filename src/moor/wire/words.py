"""Whether bytes hold a word.

Not `word in data`: CPython first tries the word as a number, and the error it makes of that costs three times the
search of a short text (0.3 us). And from the end: that search of CPython's costs a third of the other (0.1 ns a byte
instead of 0.3).
"""

from __future__ import annotations


def holds(data: bytes, word: bytes) -> bool:
    """Whether the word stands in the data."""
    return data.rfind(word) >= 0


def holds_any(data: bytes, words: tuple[bytes, ...]) -> bool:
    """Whether one of the words does."""
    for word in words:  # noqa: SIM110 - a generator would cost more than the searches
        if data.rfind(word) >= 0:
            return True
    return False


def fewest(words: set[bytes]) -> tuple[bytes, ...]:
    """The words without those that hold another one: what holds a longer one holds the shorter one too."""
    return tuple(sorted(word for word in words if not any(other != word and other in word for other in words)))
