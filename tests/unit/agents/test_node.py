from __future__ import annotations

from pathlib import Path

import pytest

from moor.agents.node import check_node
from moor.agents.recipe import Recipe
from moor.errors.agent import AgentInstallFailed

RECIPE = Recipe(agent="tool", version="1.0.0", packages=(), binary="x", dated_package="tool", node=(20, 6))


def path_with_node(folder: Path, says: str) -> dict[str, str]:
    program = folder / "node"
    program.write_text(f"#!/bin/sh\necho {says}\n", encoding="utf-8")
    program.chmod(0o755)
    return {"PATH": str(folder)}


@pytest.mark.parametrize("says", ["v20.6.0", "v22.1.0", "v20.19.2"])
def test_a_node_that_is_new_enough_will_do(says: str, tmp_path: Path) -> None:
    check_node(RECIPE, path_with_node(tmp_path, says))


def test_a_node_that_is_too_old_is_told_with_both_versions(tmp_path: Path) -> None:
    with pytest.raises(AgentInstallFailed, match=r"needs Node\.js 20\.6, and PATH has 18\.19\.1") as caught:
        check_node(RECIPE, path_with_node(tmp_path, "v18.19.1"))
    assert caught.value.hint == "install Node.js 20.6 or later"
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("says", ["", "something else"])
def test_a_node_that_is_missing_or_none_is_told(says: str, tmp_path: Path) -> None:
    environ = path_with_node(tmp_path, says) if says else {"PATH": str(tmp_path)}
    with pytest.raises(AgentInstallFailed, match=r"Node\.js is not on PATH"):
        check_node(RECIPE, environ)


def test_an_agent_that_brings_its_own_program_needs_none(tmp_path: Path) -> None:
    import msgspec

    check_node(msgspec.structs.replace(RECIPE, node=()), {"PATH": str(tmp_path)})
