"""Registered ids are imported constants: an agent's, upstream's or dialect's id stands spelled out only in
its own file and in the registry. Docstrings may say it; tests and documents are free."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from functools import cache

from moor.agents import AGENTS
from moor.domain.dialects import DIALECTS
from tests.arch.tree import Module, docstring_nodes, modules

ALLOWED = {
    ("moor.cli.registry", "sim"): "the command `moor sim` has the upstream's name",
    ("moor.workspace.classify", "claude"): "a family of models has the agent's name",
    ("moor.workspace.classify", "gemini"): "a family of models has the agent's name",
    ("moor.agents", "*"): "the registry of agents",
    ("moor.upstreams", "*"): "the registry of upstreams",
    ("moor.domain.dialects", "*"): "the file that names the dialects",
}
"""(module, id) to the reason; `*` stands for all ids"""


@cache
def homes() -> dict[str, tuple[str, ...]]:
    """Each id, with the modules (and all below them) that may spell it."""
    owners: dict[str, tuple[str, ...]] = {
        agent_id: (entry.target.partition(":")[0],) for agent_id, entry in AGENTS.items()
    }
    owners |= dict.fromkeys(DIALECTS, ("moor.domain.dialects",))
    for kind, target in upstream_registry().items():
        owners[kind] = (*owners.get(kind, ()), target.partition(":")[0])
    return owners


def upstream_registry() -> dict[str, str]:
    """Kind to import string."""
    registry: dict[str, str] = getattr(importlib.import_module("moor.upstreams"), "UPSTREAMS", {})
    return {kind: str(getattr(entry, "target", entry)) for kind, entry in registry.items()}


def may_spell(module: str, word: str) -> bool:
    """Whether this module may write that id as a literal."""
    if (module, word) in ALLOWED or (module, "*") in ALLOWED:
        return True
    return any(module == home or module.startswith(home + ".") for home in homes()[word])


def literals(module: Module) -> Iterator[ast.Constant]:
    """String constants of the module that are no docstrings."""
    silent = docstring_nodes(module.tree)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in silent:
            yield node


def test_ids_are_spelled_in_their_own_file_and_the_registry_only() -> None:
    found = [
        f"{module.shown}:{node.lineno} spells {node.value!r}; import the constant"
        for module in modules().values()
        if not module.name.startswith(("moor.sim", "moor.testing"))
        for node in literals(module)
        if node.value in homes() and not may_spell(module.name, str(node.value))
    ]
    assert not found, "\n".join(found)


def test_every_exception_is_still_needed() -> None:
    stale = [key for key in ALLOWED if key[0] not in modules()]
    assert not stale, f"exceptions for modules that are gone: {stale}"


def test_a_spelled_dialect_outside_its_file_is_seen() -> None:
    tree = ast.parse(f'"""{DIALECTS[0]}"""\nx = {DIALECTS[0]!r}\n')
    fake = Module("moor.gateway.fake", modules()["moor.domain"].path, tree, is_package=False)
    assert [node.lineno for node in literals(fake)] == [2]
    assert not may_spell(fake.name, DIALECTS[0])
