"""Tokens from the Databricks CLI: a stand-in program on the PATH answers as the real one does."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.clock import ManualClock
from moor.errors.auth import CliFailed, CliMissing
from moor.workspace.clitoken import CliToken

TOKEN = '{"access_token":"eyJtoken-0123456789ab","token_type":"Bearer","expiry":"2027-01-15T08:00:00.123456789Z"}'


def program(folder: Path, *, version: str = "v1.13.0", body: str = f"echo '{TOKEN}'") -> dict[str, str]:
    path = folder / "databricks"
    path.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && {{ echo "Databricks CLI {version}"; exit 0; }}\n'
        f'echo "$@" >> {folder}/calls\nenv > {folder}/env\n{body}\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "DATABRICKS_TOKEN": "dapi-wrong", "HOME": str(folder)}


def fetch(environ: dict[str, str], forced: bool = False, profile: str = "") -> object:
    return CliToken("https://ws.example", profile, environ, ManualClock()).fetch(forced)


def test_the_token_and_its_end_are_read(tmp_path: Path) -> None:
    stored = CliToken("https://ws.example", "dev", program(tmp_path), ManualClock()).fetch(False)
    assert stored.access_token.reveal().startswith("eyJtoken")
    assert stored.expires_at == pytest.approx(1_800_000_000.123456)
    calls = (tmp_path / "calls").read_text(encoding="utf-8")
    assert calls == "auth token --host https://ws.example --profile dev\n"


def test_variables_that_would_change_the_answer_are_kept_from_it(tmp_path: Path) -> None:
    fetch(program(tmp_path))
    assert "DATABRICKS_TOKEN" not in (tmp_path / "env").read_text(encoding="utf-8")


def test_a_dead_token_is_replaced_by_force_where_the_cli_can(tmp_path: Path) -> None:
    fetch(program(tmp_path), forced=True)
    fetch(program(tmp_path, version="v0.250.0"), forced=True)
    first, second = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert first.endswith("--force-refresh")
    assert "--force-refresh" not in second


@pytest.mark.parametrize("version", ["v0.207.0", "Version 0.18.0", "nonsense"])
def test_an_old_cli_is_told(tmp_path: Path, version: str) -> None:
    with pytest.raises(CliMissing, match=r"0\.207\.1"):
        fetch(program(tmp_path, version=version))


def test_no_cli_is_told_with_another_way(tmp_path: Path) -> None:
    with pytest.raises(CliMissing) as caught:
        fetch({"PATH": str(tmp_path)})
    assert "moor login" in caught.value.hint


def test_its_refusal_is_passed_on_with_the_command(tmp_path: Path) -> None:
    environ = program(tmp_path, body='echo "Error: the refresh token is invalid" >&2; exit 1')
    with pytest.raises(CliFailed, match="refresh token is invalid") as caught:
        fetch(environ, profile="dev")
    assert caught.value.hint == "databricks auth login --host https://ws.example --profile dev"
    assert caught.value.exit_code == 3


def test_an_answer_that_is_no_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(CliFailed, match="JSON"):
        fetch(program(tmp_path, body="echo hello"))
