"""Writes bench/RESULTS.md from the figures below bench/results: `python -m bench.gateway.results`.

A section of the page for which there are no new figures stays as it is.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.gateway.cases import CASES, FIGURES, MAX_AFTER_MB, MAX_IDLE_MB, MAX_START_MS
from bench.gateway.measure import ROOT
from bench.gateway.peers.known import ABSENT, PEERS

PAGE = ROOT / "bench" / "RESULTS.md"
FOLDER = ROOT / "bench" / "results"
_SECTION = "\n\n## "
HEAD = """# What the gateway costs, next to nginx and other gateways

Written by `python -m bench.gateway.results`; do not edit. To repeat on a quiet machine with two cores:

    make compiled
    python -m bench.gateway --rounds 3 --seconds 2
    python -m bench.gateway.peers install
    python -m bench.gateway --peers all --rounds 3 --seconds 2
    python -m bench.gateway.soak
    python -m bench.gateway.results

The scripted endpoint and the load share the first core, the system under test has the second one to itself. Each
figure is the median of interleaved rounds; CPU is what the kernel charged the system's processes. Absolute times move
with the machine: the ratios inside one run are what counts.

All governance of moor is on in every figure: the session's key, the allowlist, a cap in money, repairs of requests,
the meter of tokens and the ledger. nginx only forwards. What each peer does is said below its table. Eight bodies of
1 MB take turns: "a new conversation" begins differently each time; "sent again" is one conversation with another
message at its end, as agents send it at each turn.
"""
PEERS_HEAD = """
## Other gateways

One at a time next to nginx and moor, plain HTTP, one worker on one core, telemetry off, settings in a home of its
own. In brackets: the ratio to nginx in the same run (more is worse for times, CPU and memory, better for requests/s
and MB/s). The rows of nginx and moor are medians over the runs of all peers. Memory is resident memory of all
processes of the system; the start of a peer is timed to its first right answer, that of nginx until it listens. A
translating peer sends other bytes and more or fewer events than nginx: its MB/s count what the client gets.
"""
COLUMNS = {"start_ms": "start ms", "idle_mb": "MB idle", "after_mb": "MB after the load"}
COLUMNS |= {name: figure.title for name, figure in FIGURES.items()}


def render(gateway: Mapping[str, Any], peers: Mapping[str, Any], soak: Mapping[str, Any]) -> str:
    """The page, from the contents of gateway.json, peers.json and soak.json; an empty one leaves its section out."""
    parts = [HEAD, *_gateway(gateway), *_peers(peers), *_soak(soak), *_absent(peers)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def main() -> int:
    """Read what there is, write the page."""
    found = []
    for name in ("gateway", "peers", "soak"):
        path = FOLDER / f"{name}.json"
        found.append(json.loads(path.read_text(encoding="utf-8")) if path.exists() else {})
    before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    PAGE.write_text(merged(before, render(*found)), encoding="utf-8")
    return 0


def merged(before: str, new: str) -> str:
    """The new page, and the sections of the one before that it lacks; numbers in a title make no other section."""
    head, *sections = new.split(_SECTION)
    of_before = before.split(_SECTION)[1:]
    there = {_title(section) for section in sections}
    kept = [section for section in of_before if _title(section) not in there]
    order = [_title(section) for section in of_before]
    whole = sorted([*sections, *kept], key=lambda part: order.index(_title(part)) if _title(part) in order else -1)
    return _SECTION.join([head.rstrip(), *(part.strip() + "\n" for part in whole)])


def _title(section: str) -> str:
    return re.sub(r"[\d,]+", "", section.partition("\n")[0]).strip()


def number(value: float) -> str:
    """Three digits that count: 0.034, 1.23, 45.6, 1,234."""
    if value >= 100:
        return f"{value:,.0f}"
    digits = 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}"


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, marks, *rows])


def _machine(*runs: Mapping[str, Any]) -> str:
    """What is known of the machine and its load, of one run or of several that should be alike."""
    facts = []
    for run in runs:
        facts += [f"{run['cores']} cores"] if run.get("cores") else []
        facts += [f"Python {run['python']}"] if run.get("python") else []
        facts += (
            ["moor's hot modules compiled" if run["compiled"] else "moor interpreted"] if "compiled" in run else []
        )
        facts += [f"{run['rounds']} x {run['seconds']:g} s a load"] if run.get("rounds") else []
    times = [run["additions_s"] for run in runs if run.get("additions_s")]
    facts += [f"ten million additions in Python take {min(times):.2f} s"] if times else []
    loads = [f"{value:.1f}" for value in sorted(run["load_average"][0] for run in runs if run.get("load_average"))]
    facts += [f"load average of the machine {' to '.join(dict.fromkeys((loads[0], loads[-1])))}"] if loads else []
    return ", ".join(dict.fromkeys(facts))


def _gateway(gateway: Mapping[str, Any]) -> Iterator[str]:
    if not gateway:
        return
    yield f"\n## moor and nginx\n\n{_machine(gateway)}.\n"
    for secure, rows in gateway["cases"].items():
        words = "TLS to the upstream, certificate verified" if secure == "tls" else "plain HTTP to the upstream"
        lines = [_case(case.name, rows[case.name], secure) for case in CASES if case.name in rows]
        yield f"\n### {words}\n\n" + table(["", "direct", "nginx", "moor", "ratio", "aim", ""], lines)
        memory, start = rows["moor's memory, MB"], rows["start to first answer, ms"]["moor"]
        yield (
            f"\nmoor's memory: {number(memory['idle'])} MB idle (aim <={MAX_IDLE_MB}), {number(memory['after'])} MB "
            f"after the load (aim <={MAX_AFTER_MB}); its start to the first answer: {number(start)} ms "
            f"(aim <={MAX_START_MS}).\n"
        )


def _case(name: str, row: Mapping[str, float], secure: str) -> list[str]:
    case = next(case for case in CASES if case.name == name)
    direct = number(row["origin"]) if "origin" in row and not case.figure.startswith("cpu") else "-"
    if not row.get("nginx"):
        return [name, direct, "-", number(row["moor"]), "-", case.aim(secure), ""]
    ratio = row["moor"] / row["nginx"]
    met = "" if case.met(ratio, secure) else "missed"
    return [name, direct, number(row["nginx"]), number(row["moor"]), f"{ratio:.2f}", case.aim(secure), met]


def _peers(peers: Mapping[str, Any]) -> Iterator[str]:
    measured = {name: peers[name] for name in PEERS if name in peers and peers[name]["systems"]}
    if not measured:
        return
    yield PEERS_HEAD
    yield f"{_machine(*measured.values())}."
    rows = [_row(name, [told["systems"] for told in measured.values()], name) for name in ("nginx", "moor")]
    rows += [_row(f"{name} {told['version']}", [told["systems"]], name) for name, told in measured.items()]
    yield table(["", *COLUMNS.values()], rows)
    yield "What each one does:"
    yield "\n".join(f"* {name}: {PEERS[name].about}{_failed(told['errors'])}" for name, told in measured.items())


def _failed(errors: Mapping[str, str]) -> str:
    return "".join(f" Failed {run}: `{error.replace('`', '')}`." for run, error in errors.items())


def _row(title: str, runs: list[Mapping[str, Any]], name: str) -> list[str]:
    """Medians over the runs, each with the median of its ratios to nginx."""
    cells = [title]
    for column in COLUMNS:
        values = [run[name][column] for run in runs if column in run.get(name, {})]
        pairs = [(run[name].get(column), run.get("nginx", {}).get(column)) for run in runs if name in run]
        ratios = [value / nginx for value, nginx in pairs if value is not None and nginx]
        shown = number(statistics.median(values)) if values else "-"
        beside = f" ({number(statistics.median(ratios))})" if ratios and name != "nginx" else ""
        cells.append(shown + beside)
    return cells


def _soak(soak: Mapping[str, Any]) -> Iterator[str]:
    if not soak:
        return
    ends = ", ".join(f"{count} {end}" for end, count in soak["ends"].items())
    rows = ", ".join(f"{count} {outcome}" for outcome, count in soak["rows"].items())
    yield (
        f"\n## {soak['streams']:,} streams in a row\n\n{_machine(soak)}. They went through moor in "
        f"{soak['seconds']:,} s, {soak['at_once']} at once ({ends}); rows in the ledger: {rows}. Memory over the "
        f"second half: {soak['slope_mb_per_1000']:+.3f} MB a thousand streams.\n\n"
    )
    head = {
        "streams": "streams",
        "rss_mb": "MB",
        "descriptors": "descriptors",
        "threads": "threads",
        "tasks": "tasks",
    }
    lines = [
        [f"{taken['rss_mb']:.1f}" if key == "rss_mb" else f"{taken[key]:,}" for key in head]
        for taken in soak["samples"]
    ]
    yield table(list(head.values()), lines)


def _absent(peers: Mapping[str, Any]) -> Iterator[str]:
    if not peers:
        return
    yield "## Looked at and not measured"
    lines = []
    for name in PEERS:
        if name not in peers:
            lines.append(f"* {name}: can be installed, has no figures here")
        elif not peers[name]["systems"]:
            lines.append(f"* {name} {peers[name]['version']}: `{peers[name]['errors'].get('start', 'no figures')}`")
    lines += [f"* {absent.name} ({absent.package}): {absent.reason}" for absent in ABSENT]
    yield "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
