"""A launch as text for `--dry-run` and `--verbose`: what will be started, written and left out. No secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moor.domain.plan import LaunchPlan
from moor.launch.prepare import Prepared
from moor.secrets import redact


def plan_lines(prepared: Prepared, plan: LaunchPlan) -> Iterator[str]:
    """The plan, a line each."""
    session = prepared.session
    yield f"agent     {prepared.agent.display_name} {prepared.installed.version} ({prepared.installed.source})"
    yield f"upstream  {session.upstream} ({prepared.upstream.kind})"
    yield f"model     {session.model}; small model {session.small_model}"
    yield f"directory {session.cwd}"
    yield f"command   {redact(' '.join(plan.argv))}"
    for name in changed_variables(prepared, plan):
        yield f"variable  {name}"
    for file in plan.files:
        yield f"file      {file.path} ({len(file.content)} bytes, mode {file.mode:o})"
    for link in plan.links:
        yield f"link      {link.path} to {link.target}"
    for path in plan.leavings:
        yield f"folder    {path}: removed at the end if it is left empty and is not there now"
    if plan.once is not None:
        yield f"once      {redact(' '.join(plan.once.argv))} ({plan.once.why})"
    yield from left_out_lines(plan)
    for note in plan.notes:
        yield f"note      {note}"


def left_out_lines(plan: LaunchPlan) -> Iterator[str]:
    """What is not passed on to the agent, one line per file."""
    by_file: dict[str, list[str]] = {}
    for item in plan.left_out:
        by_file.setdefault(f"{item.where}\0{item.why}", []).append(item.what)
    for key, names in by_file.items():
        where, _, why = key.partition("\0")
        yield f"left out  {', '.join(names)} of {where}: {why}"


def changed_variables(prepared: Prepared, plan: LaunchPlan) -> list[str]:
    """`+NAME` set, `-NAME` removed, `~NAME` changed: names only, for values may be secret."""
    before, after = prepared.environ, plan.env
    added = [f"+{name}" for name in sorted(after.keys() - before.keys())]
    removed = [f"-{name}" for name in sorted(before.keys() - after.keys())]
    changed = [f"~{name}" for name in sorted(before.keys() & after.keys()) if before[name] != after[name]]
    return [*added, *removed, *changed]


def plan_json(prepared: Prepared, plan: LaunchPlan) -> dict[str, Any]:
    """The same for `--json`."""
    session = prepared.session
    return {
        "agent": session.agent,
        "version": prepared.installed.version,
        "upstream": session.upstream,
        "model": session.model,
        "small_model": session.small_model,
        "cwd": session.cwd,
        "argv": [redact(word) for word in plan.argv],
        "variables": changed_variables(prepared, plan),
        "files": [{"path": file.path, "bytes": len(file.content), "mode": f"{file.mode:o}"} for file in plan.files],
        "left_out": list(plan.left_out),
        "notes": list(plan.notes),
    }
