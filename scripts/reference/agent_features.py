"""docs/reference/agent-features.md: what is proven for which agent, from test marks, the suite over every agent and
its probes."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from moor.agents import AGENTS, DEFAULT_AGENT, load_agent
from scripts.reference.features import SOURCE, marks
from scripts.reference.notes import ROOT, page, table
from tests.real.every.station import probe_of

TESTS = ROOT / "tests"
SUITE = TESTS / "real" / "every"

INTRO = """
Each agent is put through the same tests, with its real program, on the simulator. `yes` means that the test is run
for that agent; a number leads to the sentence below that says why it is not.
"""

FEATURES = """
The numbered features of [features.md](features.md) that have a test for a single agent: `x` where there is one.
"""


def render() -> str:
    """The page."""
    heads = [load_agent(agent_id).display_name for agent_id in AGENTS]
    notes: list[str] = []
    suite = table(("", *heads), [(claim(name), *[cell(name, agent, notes) for agent in AGENTS]) for name in tests()])
    reasons = "\n".join(f"{number}. {text}" for number, text in enumerate(notes, 1))
    proofs = {agent_id: proven_for(agent_id) for agent_id in AGENTS}
    rows = [
        (number, text, *["x" if number in proofs[agent_id] else "-" for agent_id in AGENTS])
        for number, text in titles().items()
        if any(number in found for found in proofs.values())
    ]
    return page(
        "Agents and what is proven for each",
        INTRO,
        "## The suite over every agent",
        suite,
        reasons,
        "## Features by agent",
        FEATURES,
        table(("", "feature", *heads), rows),
    )


def tests() -> list[str]:
    """Names of the suite's tests, in the order of its files."""
    bodies = (ast.parse(path.read_text(encoding="utf-8")).body for path in sorted(SUITE.glob("test_*.py")))
    functions = [node for body in bodies for node in body if isinstance(node, ast.FunctionDef)]
    return [node.name for node in functions if node.name.startswith("test_")]


def claim(name: str) -> str:
    """`test_the_task_is_done` as `the task is done`."""
    return name.removeprefix("test_").replace("_", " ")


def cell(name: str, agent_id: str, notes: list[str]) -> str:
    """`yes`, or the number of the reason, which is added to the notes."""
    why = probe_of(agent_id).not_proven().get(name)
    if why is None:
        return "yes"
    text = f"{why[0].upper()}{why[1:]}."
    if text not in notes:
        notes.append(text)
    return f"({notes.index(text) + 1})"


def titles() -> dict[str, str]:
    """Feature number to its text, in order."""
    import tomllib

    groups = tomllib.loads(SOURCE.read_text(encoding="utf-8"))["groups"]
    return {number: text for group in groups for number, text in group["features"].items()}


def proven_for(agent_id: str) -> set[str]:
    """Numbers of the features that a test proves with this agent."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(TESTS.rglob("test_*.py")):
        if agent_id in agents_of(path):
            for number, test in marks(ast.parse(path.read_text(encoding="utf-8")).body, ()):
                found[number].add(test)
    absent = set(probe_of(agent_id).not_proven())
    return {number for number, names in found.items() if names - absent}


def agents_of(path: Path) -> set[str]:
    """The agents that the tests of a file are about: by its name or folder; real tests of no agent's are the
    default one's."""
    if SUITE in path.parents:
        return set(AGENTS)
    words = set(path.relative_to(TESTS).with_suffix("").parts) | {path.stem.removeprefix("test_").split("_")[0]}
    named = {agent_id for agent_id in AGENTS if agent_id.replace("-", "_") in words}
    if named:
        return named
    return {DEFAULT_AGENT} if path.parent == TESTS / "real" else set()
