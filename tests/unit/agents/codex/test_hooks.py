from __future__ import annotations

from typing import Final

from moor.agents.codex.hooks import accepted

HASHES: Final = (
    "sha256:b0841cc4f35749dba7e44129725296fdd7d24f0e1014a5cafd511e311cca5f8b",
    "sha256:d19bf83abd733204758ae8cbf827a0f2784b98abe80f9dab4d23403c1fb0a324",
)


def test_a_hook_is_told_with_the_hash_that_codex_itself_has_for_it() -> None:
    """Both hashes are what `hooks/list` of 0.169.0 says."""
    command = "touch /tmp/exp/HOOKRAN"
    hooks = {
        "SessionStart": [{"hooks": [{"type": "command", "command": command}]}],
        "Stop": [{"matcher": "x", "hooks": [{"type": "command", "command": command + "2", "timeout": 7}]}],
    }
    told = accepted(hooks, "/c.toml")
    assert told["state"] == {
        "/c.toml:session_start:0:0": {"trusted_hash": HASHES[0]},
        "/c.toml:stop:0:0": {"trusted_hash": HASHES[1]},
    }
    assert "matcher" not in told["Stop"][0]


def test_other_kinds_of_hooks_are_not_told_and_matchers_are() -> None:
    group = {"matcher": "Bash", "hooks": [{"type": "prompt"}, {"command": "a", "timeout": True, "async": True}, 3]}
    told = accepted({"PreToolUse": [group]}, "/c.toml")
    assert told["PreToolUse"] == [
        {"matcher": "Bash", "hooks": [{"type": "command", "command": "a", "timeout": 600, "async": False}]}
    ]
    assert list(told["state"]) == ["/c.toml:pre_tool_use:0:0"]
