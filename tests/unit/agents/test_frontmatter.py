from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.agents.frontmatter import split


def test_head_and_body_are_told_apart() -> None:
    head, body = split('---\ndescription: "Looks: at code"\nmode: subagent\ntemperature: 0.2\n---\n\nYou look.\n')
    assert head == {"description": "Looks: at code", "mode": "subagent", "temperature": 0.2}
    assert body == "You look.\n"


def test_maps_lists_and_blocks_are_read() -> None:
    text = (
        "---\n# comment\npermission:\n  edit: deny\n  bash:\n    '*': ask\n    \"git log*\": allow  # look\n"
        "tools: {write: false, bash: true}\nwords: [a, 'b c', 3]\nlist:\n  - one\n  - two\n"
        "text: |\n  first\n    second\nfolded: >\n  a\n  b\nempty:\n---\nbody"
    )
    head, body = split(text)
    assert head["permission"] == {"edit": "deny", "bash": {"*": "ask", "git log*": "allow"}}
    assert list(head["permission"]["bash"]) == ["*", "git log*"]
    assert head["tools"] == {"write": False, "bash": True}
    assert head["words"] == ["a", "b c", 3]
    assert head["list"] == ["one", "two"]
    assert head["text"] == "first\n  second"
    assert head["folded"] == "a b"
    assert head["empty"] is None
    assert body == "body"


def test_text_without_a_head_is_all_body() -> None:
    assert split("just text\n---\nmore") == ({}, "just text\n---\nmore")
    assert split("---\nnever closed") == ({}, "---\nnever closed")


@pytest.mark.parametrize(
    "head",
    ["a: &anchor b", "a: *alias", "a: !tag x", "no key here", "a: b\n   c: d", "- a\n- b", "a: [1, [2]]", "\ta: b"],
)
def test_what_is_not_understood_is_refused(head: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        split(f"---\n{head}\n---\nbody")


@given(st.text())
def test_no_text_does_more_than_raise_a_value_error(text: str) -> None:
    try:
        head, _ = split(f"---\n{text}\n---\nbody")
    except ValueError:
        return
    assert isinstance(head, dict)
