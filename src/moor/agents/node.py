"""The Node.js on PATH, for agents that are written in JavaScript."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping

from moor.agents.recipe import Recipe, version_key
from moor.errors.agent import AgentInstallFailed


def check_node(recipe: Recipe, environ: Mapping[str, str]) -> None:
    """Raises AgentInstallFailed where the Node.js that would run the agent is missing or too old.

    Said before the install, not at the first launch.
    """
    if not recipe.node:
        return
    node = shutil.which("node", path=environ.get("PATH"))
    found = node_version(node, environ) if node else ()
    if found >= recipe.node:
        return
    need = ".".join(map(str, recipe.node))
    has = ".".join(map(str, found))
    raise AgentInstallFailed(
        agent=recipe.agent,
        version=recipe.version,
        problem=f"it needs Node.js {need}, and PATH has {has}" if found else "Node.js is not on PATH",
        context=node or "",
        hint=f"install Node.js {need} or later",
    )


def node_version(node: str, environ: Mapping[str, str]) -> tuple[int, ...]:
    """What that program says its version is; () when it does not say. BLOCKS for 20 s at most."""
    try:
        said = subprocess.check_output([node, "--version"], env=dict(environ), encoding="utf-8", timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ()
    return version_key(said.strip().lstrip("v")) if said.startswith("v") else ()
