"""What pip says it has installed, in the forms of its versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moor.agents.pip import received


@pytest.mark.feature("F6.5")
@pytest.mark.parametrize(
    "archive",
    [
        {"hash": "sha256=abc"},  # 23.0, which Debian 12 has
        {"hash": "sha256=abc", "hashes": {"sha256": "abc"}},
        {"hashes": {"sha256": "abc"}},
    ],
)
def test_the_hash_of_a_wheel_is_read_from_the_report_of_old_and_new_pips(tmp_path: Path, archive: object) -> None:
    entry = {"metadata": {"name": "greet", "version": "1.2"}, "download_info": {"archive_info": archive}}
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"install": [entry]}), encoding="utf-8")
    assert received(report) == {"greet==1.2": "sha256-abc"}
