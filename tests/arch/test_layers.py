"""Floors: a folder imports from floors below it; two folders on one floor do not know each other.

The floors are those of the design, section 2. Imports inside functions and for types count too.
"""

from __future__ import annotations

import pytest

from tests.arch.tree import Arrow, arrows, modules

FLOORS = (
    ("errors", "secrets", "clock", "version", "compiled"),
    ("domain",),
    ("wire",),
    ("store", "net", "run"),
    ("workspace", "ledger", "journal"),
    ("upstreams",),
    ("gateway",),
    ("agents",),
    ("launch", "mcp", "tracing", "skills"),
    ("drive", "doctor"),
    ("api", "workbench", "fleet"),
    ("cli",),
    ("__main__",),
)
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}

ASIDE = {"sim": FLOOR["wire"], "testing": FLOOR["cli"]}
"""rooms beside the house, with the highest floor they may use"""

MAY_LOAD_ASIDE = ("moor.cli.demo", "moor.cli.sim", "moor.testing", "moor.sim")
"""what is loaded by the demo, by `moor sim` and by tests only"""


def room(module: str) -> str:
    """`moor.store.home` is in the room `store`; the package itself is in none."""
    return module.split(".")[1] if "." in module else ""


def wrong_way(arrow: Arrow) -> str:
    """Why this import may not be; empty when it may."""
    source, target = room(arrow.source), room(arrow.target)
    if source == target or not target or (arrow.source, target) == ("moor", "compiled"):
        return ""
    if target in ASIDE:
        allowed = arrow.source.startswith(MAY_LOAD_ASIDE)
        return "" if allowed else f"{target} is loaded by the demo, by `moor sim` and by tests only"
    if source in ASIDE:
        return "" if FLOOR[target] <= ASIDE[source] else f"{source} stands beside the house, below {target}"
    if source in FLOOR and target in FLOOR and FLOOR[target] < FLOOR[source]:
        return ""
    if source in ("errors", "secrets", "clock") and FLOOR.get(target) == 0:
        return "" if source != "errors" else "errors import nothing of moor"
    same = FLOOR.get(source) == FLOOR.get(target)
    return f"{source} and {target} stand on one floor" if same else f"{target} stands above {source}"


def test_every_folder_stands_on_a_floor() -> None:
    homeless = {room(name) for name in modules()} - set(FLOOR) - set(ASIDE) - {""}
    assert not homeless, f"rooms without a floor, add them to FLOORS: {sorted(homeless)}"


def test_imports_point_down_only() -> None:
    wrong = [
        f"{arrow.source} -> {arrow.target} ({modules()[arrow.source].shown}:{arrow.line}): {why}"
        for arrow in arrows()
        if (why := wrong_way(arrow))
    ]
    assert not wrong, "\n".join(["arrows that point the wrong way:", *wrong])


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("moor.domain.session", "moor.store.home"),
        ("moor.store.home", "moor.run.proc"),
        ("moor.gateway.server", "moor.agents.base"),
        ("moor.launch.prepare", "moor.sim.server"),
        ("moor.sim.server", "moor.upstreams.base"),
        ("moor.errors.agent", "moor.secrets"),
    ],
)
def test_the_rule_refuses_arrows_known_to_be_wrong(source: str, target: str) -> None:
    assert wrong_way(Arrow(source, target, 1, typing_only=False))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("moor.cli.demo", "moor.sim.embedded"),
        ("moor.cli.run", "moor.drive.run"),
        ("moor.store.home", "moor.errors.store"),
        ("moor.gateway.filters.blank", "moor.gateway.pipeline"),
    ],
)
def test_the_rule_lets_downward_arrows_pass(source: str, target: str) -> None:
    assert not wrong_way(Arrow(source, target, 1, typing_only=False))
