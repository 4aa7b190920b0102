"""Runs all tests, the long products too, and writes docs/reference/full-results.md with date, machine, counts."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
import sys
import xml.etree.ElementTree as Xml
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "full-results.md"
AT_ONCE = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
REPORT = ROOT / "build" / "full.xml"


def run_tests() -> int:
    """Everything; the runner's exit code."""
    REPORT.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", *AT_ONCE, f"--junit-xml={REPORT}", "tests"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def outcome(case: Xml.Element) -> str:
    """passed, failed or skipped."""
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in kinds else "passed"


def counts(cases: list[Xml.Element]) -> dict[str, Counter[str]]:
    """Folder below tests/ to how many passed, failed, were skipped."""
    table: dict[str, Counter[str]] = {}
    for case in cases:
        folder = (case.get("classname", "").split(".") + ["", ""])[1]
        table.setdefault(folder, Counter())[outcome(case)] += 1
    return table


def commit() -> str:
    """The commit, with a mark when the tree differs from it."""
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    return done.stdout.strip() or "unknown"


def write_page(cases: list[Xml.Element], seconds: float) -> None:
    """The dated page."""
    rows = [
        f"| {folder} | {count['passed']} | {count['failed']} | {count['skipped']} |"
        for folder, count in sorted(counts(cases).items())
    ]
    lost = [f"- `{case.get('classname')}::{case.get('name')}`: {word(case)}" for case in cases if word(case)]
    lines = [
        "# Results of the full tests",
        "",
        f"`make test-full` on {datetime.date.today().isoformat()}, commit `{commit()}`, Python "
        f"{platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
        f"{seconds / 60:.1f} minutes.",
        "",
        "| tests | passed | failed | skipped |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
        *(["Not passed:", "", *lost] if lost else ["All passed."]),
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")


def word(case: Xml.Element) -> str:
    """Why a test did not pass, in one line; empty when it did."""
    found = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
    if found is None:
        return ""
    text = re.sub(r"\s+", " ", (found.get("message") or found.tag).replace(str(ROOT.parent), ""))
    return f"{outcome(case)}: {text[:160]}"


def main() -> int:
    """Run, write, and end with the runner's code."""
    code = run_tests()
    if REPORT.exists():
        suites = Xml.parse(REPORT).getroot()
        seconds = sum(float(suite.get("time", 0)) for suite in suites)
        write_page(list(suites.iter("testcase")), seconds)
        print(f"wrote {PAGE.relative_to(ROOT)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
