"""The page of results, rendered from small figures."""

from __future__ import annotations

from typing import Any

import pytest

from bench.gateway.results import merged, number, render

GATEWAY: dict[str, Any] = {
    "python": "3.12.1",
    "cores": 2,
    "load_average": [0.5, 0.6, 0.7],
    "rounds": 3,
    "seconds": 2.0,
    "cases": {
        "plain": {
            "small, CPU per request": {"origin": 9.0, "nginx": 20.0, "moor": 30.0},
            "flood, MB/s": {"origin": 900.0, "nginx": 400.0, "moor": 100.0},
            "moor's memory, MB": {"idle": 32.7, "after": 38.4},
            "start to first answer, ms": {"moor": 87.4},
        }
    },
}


def told(nginx: float, moor: float, **peer: dict[str, float]) -> dict[str, Any]:
    """What one peer's run holds: CPU per small request of nginx and moor, and the peer's own figures."""
    return {
        "version": "1.2.3",
        "cores": 2,
        "errors": {},
        "systems": {"nginx": {"small_cpu": nginx}, "moor": {"small_cpu": moor}, **peer},
    }


SOAK = {
    "python": "3.12.1",
    "cores": 2,
    "seconds": 600,
    "streams": 10_300,
    "at_once": 48,
    "ends": {"dropped": 5000, "normal": 5300},
    "rows": {"ok": 10_300},
    "slope_mb_per_1000": 0.012,
    "samples": [{"streams": 0, "rss_mb": 40.1, "descriptors": 20, "threads": 3, "tasks": 8}],
}


def line(page: str, start: str) -> str:
    """The only line of the page that starts so."""
    [found] = [line for line in page.splitlines() if line.startswith(start)]
    return found


def test_a_ratio_is_judged_by_its_aim() -> None:
    page = render(GATEWAY, {}, {})
    assert line(page, "| small, CPU") == "| small, CPU per request | - | 20.0 | 30.0 | 1.50 | <=2.0 |  |"
    assert line(page, "| flood") == "| flood, MB/s | 900 | 400 | 100 | 0.25 | >=1.0 | missed |"
    assert "2 cores, Python 3.12.1, 3 x 2 s a load, load average of the machine 0.5." in page


def test_a_peer_stands_with_its_ratio_to_nginx_of_its_own_run() -> None:
    peers = {
        "portkey": told(10, 40, portkey={"small_cpu": 2000}),
        "litellm": told(20, 40, litellm={"small_cpu": 9000}),
    }
    page = render({}, peers, {})
    assert "| 2,000 (200) |" in line(page, "| portkey 1.2.3")
    assert "| 9,000 (450) |" in line(page, "| litellm 1.2.3")
    assert "| 40.0 (3.00) |" in line(page, "| moor")
    assert "| 15.0 |" in line(page, "| nginx")


def test_what_a_peer_failed_is_said_with_the_first_error() -> None:
    peers = {"portkey": told(10, 40, portkey={}) | {"errors": {"flood-200-0": "500 no"}}}
    assert "Failed flood-200-0: `500 no`." in line(render({}, peers, {}), "* portkey:")


def test_peers_without_figures_are_listed_with_the_reason() -> None:
    peers = {"mlflow": {"version": "3.0", "systems": {}, "errors": {"start": "did not start: no"}}}
    page = render({}, peers, {})
    assert line(page, "* mlflow") == "* mlflow 3.0: `did not start: no`"
    assert line(page, "* litellm") == "* litellm: can be installed, has no figures here"
    assert "only downloads a program" in line(page, "* bifrost")


def test_the_page_says_that_governance_is_on() -> None:
    page = " ".join(render({}, {}, {}).split())
    assert "All governance of moor is on" in page
    assert "python -m bench.gateway --peers all" in page


def test_the_soak_is_a_section_only_when_it_was_run() -> None:
    page = render({}, {}, SOAK)
    assert line(page, "## 10,300 streams")
    assert "+0.012 MB a thousand streams" in page
    assert line(page, "| 0 |") == "| 0 | 40.1 | 20 | 3 | 8 |"
    assert "streams in a row" not in render(GATEWAY, {}, {})


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0341, "0.034"), (1.234, "1.23"), (45.61, "45.6"), (1234.5, "1,234"), (0, "0.000")]
)
def test_three_digits_count(value: float, shown: str) -> None:
    assert number(value) == shown


def test_sections_without_new_figures_stay_and_in_their_order() -> None:
    sections = (
        "# Old",
        "moor and nginx\n\nold",
        "moor and nginx, elsewhere\n\nkept",
        "40,300 streams in a row\n\nold\n",
    )
    before = "\n\n## ".join(sections)
    page = merged(before, render(GATEWAY, {}, SOAK))
    titles = [line for line in page.splitlines() if line.startswith("## ")]
    assert titles == ["## moor and nginx", "## moor and nginx, elsewhere", "## 10,300 streams in a row"]
    assert "old" not in page
    assert "kept" in page
    assert merged(page, render({}, {}, {})) == page
    assert merged("", page) == page
