"""One config out of the user's, the repository's and the mode: the repository may only narrow."""

from __future__ import annotations

from typing import Any, Final

from moor.agents.opencode.permission import ALLOW, ASK, DENY, Rules, narrowed, render
from moor.agents.opencode.sift import Taken

_SERVER_RULES: Final[dict[str, Rules]] = {
    "*": [("*", ASK)],
    **{
        tool: [("*", ALLOW)]
        for tool in ("glob", "grep", "list", "todowrite", "todoread", "task", "skill", "question")
    },
    "read": [("*", ALLOW), ("*.env", ASK), ("*.env.*", ASK), ("*.env.example", ALLOW)],
    **{tool: [("*", ASK)] for tool in ("edit", "bash", "external_directory", "webfetch", "websearch", "doom_loop")},
}
"""a driven agent asks for everything that acts: moor answers by its rules, not OpenCode by the user's"""

_PLAN_DENIES: Final[Rules] = [("*", DENY), (".opencode/plans/*.md", ALLOW)]
"""OpenCode's own rule of the agent `plan`; a repository's `edit: ask` would lift it"""


def compose(user: Taken, repository: Taken, *, server: bool) -> dict[str, Any]:
    """The keys that were taken over, for `config.merged` to lay ours upon."""
    base = narrowed(_SERVER_RULES, user.rules) if server else user.rules
    config: dict[str, Any] = dict(user.settings)
    if rules := render(narrowed(base, repository.rules)):
        config["permission"] = rules
    if agents := _agents(user, repository, server=server):
        config["agent"] = agents
    if commands := {**user.commands, **repository.commands}:
        config["command"] = commands
    if instructions := list(dict.fromkeys([*user.instructions, *repository.instructions])):
        config["instructions"] = instructions
    if server:
        config["snapshot"] = False  # OpenCode's undo; a driven session has its own account of changes
        config.pop("default_agent", None)
    return config


def _agents(user: Taken, repository: Taken, *, server: bool) -> dict[str, Any]:
    out: dict[str, Any] = {}
    names = dict.fromkeys([*user.agents, *repository.agents, *user.agent_rules, *repository.agent_rules])
    for name in names:
        agent = {**user.agents.get(name, {}), **repository.agents.get(name, {})}
        base = user.agent_rules.get(name, {})
        if server:  # an agent's own allow would beat the rules for all: a driven one has none
            base = narrowed({}, base)
        if rules := render(narrowed(base, repository.agent_rules.get(name, {}))):
            agent["permission"] = rules
        if agent:
            out[name] = agent
    if not server and _asks(repository, "edit"):
        plan = out.setdefault("plan", {})
        plan.setdefault("permission", {}).setdefault("edit", dict(_PLAN_DENIES))
    return out


def _asks(taken: Taken, tool: str) -> bool:
    return any(action == ASK for name in ("*", tool) for _, action in taken.rules.get(name, []))
