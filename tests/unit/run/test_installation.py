from __future__ import annotations

import json
from pathlib import Path

import pytest

from moor.run.installation import CHECKOUT, PIP, PIPX, SYSTEM, UV_TOOL, answer, installation, this_installation

PYTHON = "/env/bin/python"
WHEEL = {"url": "file:///tmp/moorage-0.1.0-py3-none-any.whl", "archive_info": {}}


def test_this_checkout_is_known_as_one() -> None:
    found = this_installation({})
    assert found.kind == CHECKOUT
    assert found.upgrade == ()
    assert found.by_hand == f"git -C {found.place} pull --ff-only && make -C {found.place} env"


@pytest.mark.feature("F19.2")
@pytest.mark.parametrize(
    ("mark", "installer", "kind", "command"),
    [
        ("uv-receipt.toml", "uv", UV_TOOL, ("uv", "tool", "upgrade", "moorage")),
        ("pipx_metadata.json", "pip", PIPX, ("pipx", "upgrade", "moorage")),
        ("", "pip", PIP, (PYTHON, "-m", "pip", "install", "--upgrade", "moorage")),
        ("", "uv", PIP, ("uv", "pip", "install", "--python", PYTHON, "--upgrade", "moorage")),
    ],
)
def test_the_way_it_was_installed_is_the_way_it_is_upgraded(
    mark: str, installer: str, kind: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    if mark:
        (tmp_path / mark).write_text("", encoding="utf-8")
    found = installation({}, installer, prefix=tmp_path, in_environment=True, executable=PYTHON)
    assert (found.kind, found.upgrade) == (kind, command)


@pytest.mark.parametrize("mark", ["uv-receipt.toml", "pipx_metadata.json", ""])
def test_what_came_from_a_file_is_not_replaced_by_a_name_on_an_index(mark: str, tmp_path: Path) -> None:
    if mark:
        (tmp_path / mark).write_text("", encoding="utf-8")
    found = installation(WHEEL, "pip", prefix=tmp_path, in_environment=True, executable=PYTHON)
    assert found.upgrade == ()
    assert found.file == WHEEL["url"]
    assert found.from_file
    assert found.by_hand.endswith("NEWER.whl")


@pytest.mark.parametrize(("installer", "managed"), [("debian", False), ("pip", True), ("", False)])
def test_what_the_system_installed_is_left_to_it(installer: str, managed: bool, tmp_path: Path) -> None:
    found = installation({}, installer, prefix=tmp_path, in_environment=False, managed=managed)
    assert found.kind == SYSTEM
    assert not found.upgrade
    assert not found.from_file
    assert "apt" in found.by_hand


def test_the_answers_of_pip_and_uv_are_read() -> None:
    report = json.dumps({"install": [{"metadata": {"name": "moorage", "version": "0.2.0"}}]})
    assert answer(report, "") == "0.2.0"
    assert answer('{"install": []}', "") == ""
    assert answer("", "Would install 1 package\n - moorage==0.1.0\n + moorage==0.3.0\n") == "0.3.0"
    assert answer("", "Audited 1 package in 2ms\n") == ""
