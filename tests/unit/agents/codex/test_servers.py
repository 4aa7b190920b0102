from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from moor.agents.codex.servers import told


@pytest.mark.feature("F17.5")
def test_variables_of_a_local_server_stand_in_a_private_script_that_becomes_it(tmp_path: Path) -> None:
    server = {"command": "sh", "args": ["-c", 'echo "$KEY" "$@"', "x"], "env": {"KEY": "it's secret", "no-name": "x"}}
    made = told({"s": server}, tmp_path, asking=False)
    assert "secret" not in str(made.config)
    (file,) = made.files
    assert file.mode == 0o700
    Path(file.path).write_bytes(file.content)
    Path(file.path).chmod(file.mode)
    argv = [made.config["s"]["command"], *made.config["s"]["args"], "more"]
    done = subprocess.run(argv, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "it's secret more\n"


@pytest.mark.feature("F17.5")
def test_headers_of_a_remote_server_stand_in_variables(tmp_path: Path) -> None:
    made = told({"r": {"url": "http://x", "http_headers": {"Authorization": "Bearer s"}}}, tmp_path, asking=False)
    assert made.config == {"r": {"url": "http://x", "env_http_headers": {"Authorization": "MOOR_CODEX_HEADER_0_0"}}}
    assert made.env == {"MOOR_CODEX_HEADER_0_0": "Bearer s"}
    assert made.files == ()


def test_a_server_that_names_neither_is_told_as_it_is(tmp_path: Path) -> None:
    server = {"command": "serve", "tools": {"x": {"approval_mode": "approve"}}}
    assert told({"s": server}, tmp_path, asking=False).config == {"s": server}
    asking = told({"s": server}, tmp_path, asking=True).config
    assert asking == {"s": {"command": "serve", "default_tools_approval_mode": "prompt"}}
