from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.agents.opencode.permission import Rules, allows_of, narrowed, parse, render

TOOLS = ["*", "bash", "edit", "read", "mcp_x"]
PATTERNS = ["*", "git *", "git push *", "ls *", "rm *"]
COMMANDS = ["git push x", "git log", "ls -l", "rm -rf y", "make"]
WIDTH = {"deny": 0, "ask": 1, "allow": 2}

rules = st.dictionaries(
    st.sampled_from(TOOLS),
    st.lists(st.tuples(st.sampled_from(PATTERNS), st.sampled_from(list(WIDTH))), max_size=4),
    max_size=4,
)


def meaning(of: dict[str, object], tool: str, command: str, fallback: str = "allow") -> str:
    """What OpenCode does with it: flatten in order, the last rule that matches wins."""
    action = fallback
    for name, value in of.items():
        if isinstance(value, str):
            pairs = [("*", value)]
        else:
            pairs = list(value.items()) if isinstance(value, dict) else list(value)  # type: ignore[call-overload]
        for pattern, then in pairs:
            if fnmatch.fnmatchcase(tool, name) and fnmatch.fnmatchcase(command, pattern):
                action = then
    return action


@given(rules, rules)
def test_narrowing_never_widens(base: dict[str, Rules], narrower: dict[str, Rules]) -> None:
    before, after = base, render(narrowed(base, narrower))
    for tool in TOOLS[1:]:
        for command in COMMANDS:
            assert WIDTH[meaning(after, tool, command)] <= WIDTH[meaning(before, tool, command)]


@given(rules, rules)
def test_every_deny_of_the_narrower_holds(base: dict[str, Rules], narrower: dict[str, Rules]) -> None:
    after = render(narrowed(base, {tool: [r for r in of if r[1] == "deny"] for tool, of in narrower.items()}))
    for tool, of_tool in narrower.items():
        for pattern, action in of_tool:
            for command in COMMANDS:
                if action == "deny" and fnmatch.fnmatchcase(command, pattern):
                    for concrete in TOOLS[1:] if tool == "*" else [tool]:
                        assert meaning(after, concrete, command) == "deny"


def test_an_ask_narrows_an_allow_and_leaves_a_deny() -> None:
    base = parse({"bash": {"*": "allow", "rm *": "deny"}})
    out = render(narrowed(base, parse({"bash": "ask"})))
    assert meaning(out, "bash", "ls -l") == "ask"
    assert meaning(out, "bash", "rm -rf y") == "deny"


def test_tools_that_take_only_a_word_get_one() -> None:
    assert render(parse({"webfetch": {"*": "ask", "https://x*": "allow"}, "question": "deny"})) == {
        "webfetch": "ask",
        "question": "deny",
    }


def test_a_word_for_everything_is_read() -> None:
    assert parse("deny") == {"*": [("*", "deny")]}
    assert allows_of(parse({"bash": {"ls *": "allow"}, "edit": "ask"})) == ["bash"]


@pytest.mark.parametrize("value", [None, 3, [], {"bash": 3}, {"bash": "maybe"}, {"bash": {"x": None}}, "yes"])
def test_other_forms_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(value)
