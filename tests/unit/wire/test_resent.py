"""A conversation that is sent again is read as if it were new, whatever changed in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.models import Model
from moor.errors.base import MoorError
from moor.gateway.filters.base import Draft
from moor.gateway.filters.turns import read_turns
from moor.wire.index import Index, index_object
from moor.wire.resent import Conversations
from tests.support.fuzz import examples

MODEL = Model(id="m", family="claude", dialects=(ANTHROPIC_MESSAGES,))
BLOCKS: Any = st.sampled_from(
    [
        {"type": "text", "text": "hello"},
        {"type": "text", "text": ""},
        {"type": "text", "text": 'a},{"role":"user","content":[]} in words'},
        {"type": "tool_use", "id": "t1", "name": "bash", "input": {"list": [{"role": "x"}, {"role": "y"}]}},
        {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": " "}]},
        {"type": "thinking", "thinking": "hm", "signature": "s", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "é\u2028", "cache_control": {"type": "ephemeral", "scope": "global"}},
    ]
)
MESSAGES: Any = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant"]),
        "content": st.one_of(st.text(max_size=5), st.lists(BLOCKS, max_size=3)),
    }
)
BODIES: Any = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": st.lists(MESSAGES, max_size=6)},
    optional={
        "tools": st.lists(st.just({"name": "bash"}), max_size=2),
        "stream": st.booleans(),
        "messages2": st.just(1),
    },
)


def dumped(body: dict[str, Any], compact: bool = True) -> bytes:
    """As an agent writes it."""
    return json.dumps(body, separators=(",", ":") if compact else None, ensure_ascii=False).encode()


def seen(index: Index) -> tuple[object, ...]:
    """All that the wire reads of a body."""
    draft = Draft(index, ANTHROPIC_MESSAGES, "generate", MODEL, {})
    turns = read_turns(draft)
    facts = None
    if turns is not None:
        facts = (turns.calls, turns.results, turns.blanks, turns.odd_marks, turns.roles)
    return list(index.spans.items()), [index.raw(key) for key in index.keys], facts


def read(conversations: Conversations, owner: str, body: bytes) -> tuple[object, ...]:
    """What is seen of a body, or why there is nothing."""
    try:
        return seen(conversations.index(owner, body))
    except MoorError as error:
        return (error.ref,)


def fresh(body: bytes) -> tuple[object, ...]:
    """The same of a body that nobody has seen before."""
    try:
        return seen(index_object(body))
    except MoorError as error:
        return (error.ref,)


@settings(max_examples=examples(200))
@given(
    first=BODIES,
    more=st.lists(MESSAGES, max_size=3),
    cut=st.integers(0, 6),
    noise=st.none() | st.tuples(st.floats(0, 1), st.binary(min_size=0, max_size=3)),
    compact=st.booleans(),
    other=BODIES,
)
def test_a_longer_conversation_is_read_as_a_new_one(
    first: dict[str, Any],
    more: list[Any],
    cut: int,
    noise: tuple[float, bytes] | None,
    compact: bool,
    other: dict[str, Any],
) -> None:
    conversations = Conversations(least=0)
    second = dict(first, messages=first["messages"][: len(first["messages"]) - cut] + more)
    bodies = [dumped(first, compact), dumped(other), dumped(second, compact), dumped(first, compact)]
    if noise is not None:  # bytes put somewhere: a key twice, a broken string, a white space
        at = int(noise[0] * len(bodies[2]))
        bodies.insert(3, bodies[2][:at] + noise[1] + bodies[2][at:])
    for body in bodies:
        assert read(conversations, "s", body) == fresh(body)


BASE = b'{"model":"m","messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}'


@pytest.mark.parametrize(
    "end",
    [
        b"]}",
        b',{"role":"user","content":"c"}]}',
        b",]}",
        b", ]}",
        b",1]}",
        b'],"messages":[{"role":"user","content":"other"}]}',
        b'],"Messages":[]}',
        b'],"model":"other"}',
        b'],"stream":true}',
        b"]",
        b"]}}",
        b"}",
        b"",
        b',{"role":"user","content":"c"}}',
        b',{"role":"user","content":"\xff"}]}',
        b',{"role":"user","content":' + b"[" * 5000 + b"]" * 5000 + b"}]}",
    ],
)
def test_what_stands_behind_known_messages_is_judged_as_ever(end: bytes) -> None:
    conversations = Conversations(least=0)
    assert read(conversations, "s", BASE + b"]}") == fresh(BASE + b"]}")
    assert read(conversations, "s", BASE + end) == fresh(BASE + end)


def test_only_what_is_new_is_read() -> None:
    conversations = Conversations(least=0)
    conversations.index("s", BASE + b"]}")
    past = conversations.index("s", BASE + b',{"role":"user","content":"c"}]}').past
    assert past is not None
    assert (past.count, past.rest) == (2, b'[{"role":"user","content":"c"}]')
    marked = BASE.replace(b'"b"', b'"B"')  # agents move a mark along at the end
    again = conversations.index("s", marked + b"]}").past
    assert again is not None
    assert (again.count, again.rest) == (1, b'[{"role":"user","content":"B"}]')


def test_another_session_learns_nothing() -> None:
    conversations = Conversations(least=0)
    conversations.index("one", BASE + b"]}")
    assert conversations.index("two", BASE + b"]}").past is None


def test_what_is_kept_is_bounded() -> None:
    conversations = Conversations(least=0, most=300)
    bodies = [b'{"model":"m","messages":[{"role":"user","content":"%d%s"}]}' % (n, b"x" * 60) for n in range(5)]
    for body in bodies:
        conversations.index("s", body)
    assert conversations.index("s", bodies[0]).past is None
    assert conversations.index("s", bodies[4]).past is not None
    conversations.index("s", b'{"model":"m","messages":["%s"]}' % (b"x" * 400))
    assert conversations.index("s", bodies[4]).past is not None
