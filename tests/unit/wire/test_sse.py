"""Server-sent events: any split of any bytes gives the same events."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from moor.wire.sse import EventBlocks, SseDecoder, SseEvent, last_boundary

PIECE = st.sampled_from(
    [
        b"data: a",
        b"data:b",
        b"data",
        b"event: x",
        b"id: 7",
        b": note",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\xef\xbb\xbf",
    ]
)
TEXT = st.lists(PIECE, max_size=30).map(b"".join)
CUTS = st.lists(st.integers(0, 200), max_size=12)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data cut at those places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


@given(data=TEXT, cuts=CUTS)
def test_any_split_gives_the_same_events(data: bytes, cuts: list[int]) -> None:
    whole, parts = SseDecoder(), SseDecoder()
    expected = whole.feed(data + b"x")
    got = [event for piece in pieces(data + b"x", cuts) for event in parts.feed(piece)]
    assert got == expected


@given(data=TEXT, cuts=CUTS)
def test_blocks_hold_every_byte_in_order_and_end_between_events(data: bytes, cuts: list[int]) -> None:
    blocks = EventBlocks()
    out = [blocks.feed(piece) for piece in pieces(data, cuts)]
    assert b"".join(out) + blocks.rest() == data
    for block in out:
        assert not block or last_boundary(block + b"x") == len(block)


@given(data=TEXT, cuts=CUTS)
def test_blocks_never_keep_a_whole_event_back(data: bytes, cuts: list[int]) -> None:
    blocks = EventBlocks()
    out = b"".join(blocks.feed(piece) for piece in pieces(data + b"x", cuts))
    assert SseDecoder().feed(out + b"x") == SseDecoder().feed(data + b"x")


@given(data=TEXT, cuts=CUTS)
def test_an_event_above_the_bound_passes_in_pieces(data: bytes, cuts: list[int]) -> None:
    blocks = EventBlocks(max_bytes=8)
    out = b"".join(blocks.feed(piece) for piece in pieces(data, cuts))
    assert out + blocks.rest() == data
    assert len(blocks.rest()) <= 8 + max(map(len, pieces(data, cuts)), default=0)


def test_fields_are_read_as_the_standard_says() -> None:
    stream = b"\xef\xbb\xbf: note\r\nevent: add\rdata: one\ndata:two\n\nid: 5\ndata\n\nevent: none\n\ndata: cut"
    assert SseDecoder().feed(stream) == [SseEvent(b"one\ntwo", "add", ""), SseEvent(b"", "message", "5")]


def test_an_endless_event_is_given_up() -> None:
    decoder = SseDecoder(max_bytes=100)
    for _ in range(50):
        assert decoder.feed(b"data: 0123456789\n") == []
    assert decoder.overflowed


def slow_boundary(data: bytes) -> int:
    """The same, end by end."""
    if not data.endswith(b"\r") or last_boundary(data + b"x") != len(data):
        return last_boundary(data)
    return slow_boundary(data[:-1])


@given(st.lists(st.sampled_from([b"\r", b"\n", b"a", b"\r\r\r", b"\r\n"]), max_size=12).map(b"".join))
def test_trailing_carriage_returns_are_left_for_what_follows(data: bytes) -> None:
    assert last_boundary(data) == slow_boundary(data)


def test_a_flood_of_carriage_returns_is_an_event_like_another() -> None:
    flood = b"\r" * 1_000_000
    assert last_boundary(flood) == 0
    blocks = EventBlocks(max_bytes=4096)
    out = b"".join(blocks.feed(flood[at : at + 65_536]) for at in range(0, len(flood), 65_536))
    assert out + blocks.rest() == flood
