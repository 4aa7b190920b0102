"""No module imports itself through others, imports inside functions included."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from tests.arch.tree import arrows, modules


def graph() -> dict[str, set[str]]:
    """Who imports whom at run time. A package that its own submodule names is not counted: importing
    `moor.cli.main` runs `moor.cli` first in any case."""
    edges: dict[str, set[str]] = {name: set() for name in modules()}
    for arrow in arrows():
        if not arrow.typing_only and not arrow.source.startswith(arrow.target + "."):
            edges[arrow.source].add(arrow.target)
    return edges


def test_no_import_cycle_at_run_time() -> None:
    try:
        tuple(TopologicalSorter(graph()).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise AssertionError(f"import cycle: {circle}") from None


def test_no_package_is_imported_by_its_submodule_while_it_imports_that_one() -> None:
    forward = {(a.source, a.target) for a in arrows() if not a.typing_only}
    circles = [f"{s} <-> {t}" for s, t in forward if (t, s) in forward and s < t]
    assert not circles, f"import cycles between a package and its part: {circles}"
