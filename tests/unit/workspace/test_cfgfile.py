"""~/.databrickscfg, with its traps."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.errors.auth import ProfileFileInvalid, ProfileUnknown, ProfileUnusable
from moor.workspace.cfgfile import config_path, load_profile

FILE = """\
; The profile defined in the DEFAULT section is to be used as a fallback
[DEFAULT]
host = https://default.example
token = dapi00000000000000000000000000000000

[dev]
host = https://dev.example
token = dapi1111%s1111

[sso]
host = https://sso.example
auth_type = databricks-cli

[empty]

[__settings__]
default_profile = dev
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / ".databrickscfg").write_text(FILE, encoding="utf-8")
    return {"HOME": str(tmp_path)}


@pytest.mark.feature("F1.2")
def test_a_profile_is_read_with_a_percent_sign_in_its_token(environ: dict[str, str]) -> None:
    profile = load_profile(environ, "dev")
    assert profile.host == "https://dev.example"
    assert profile.pat().reveal() == "dapi1111%s1111"
    assert "1111%s1111" not in repr(profile)


def test_keys_of_the_default_section_do_not_leak_into_others(environ: dict[str, str]) -> None:
    profile = load_profile(environ, "sso")
    assert profile.token is None
    with pytest.raises(ProfileUnusable, match="databricks-cli"):
        profile.pat()


def test_the_default_profile_is_chosen_in_the_order_of_the_cli(environ: dict[str, str]) -> None:
    assert load_profile(environ).name == "dev"
    assert load_profile({**environ, "DATABRICKS_CONFIG_PROFILE": "sso"}).name == "sso"
    assert load_profile({**environ, "DATABRICKS_CONFIG_PROFILE": "sso"}, "DEFAULT").host == "https://default.example"


def test_the_settings_section_and_an_empty_one_are_no_profiles(environ: dict[str, str]) -> None:
    for name in ("__settings__", "empty"):
        with pytest.raises(ProfileUnknown):
            load_profile(environ, name)


def test_an_unknown_profile_is_answered_with_the_nearest_one(environ: dict[str, str]) -> None:
    with pytest.raises(ProfileUnknown) as caught:
        load_profile(environ, "devv")
    assert caught.value.hint == "did you mean: --profile dev"
    assert caught.value.exit_code == 2


def test_a_missing_file_is_an_unknown_profile(tmp_path: Path) -> None:
    with pytest.raises(ProfileUnknown):
        load_profile({"HOME": str(tmp_path)}, "dev")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("token = dapi5555555555555555\n", 1, "section"),
        ("[dev]\nhost\n", 2, "neither"),
        ("[dev]\n[dev]\n", 2, "twice"),
        ("[dev]\nhost = a\nhost = b\n", 3, "twice"),
    ],
)
def test_a_malformed_file_is_told_with_its_line_and_without_its_content(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    path = tmp_path / "cfg"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileFileInvalid, match=words) as caught:
        load_profile({"HOME": str(tmp_path), "DATABRICKS_CONFIG_FILE": str(path)}, "dev")
    assert caught.value.line == line
    assert "dapi5555" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    (tmp_path / ".databrickscfg").write_bytes(b"[dev]\nhost = \xff\xfe\n")
    with pytest.raises(ProfileFileInvalid, match="UTF-8"):
        load_profile({"HOME": str(tmp_path)}, "dev")


def test_a_profile_without_a_host_is_told(tmp_path: Path) -> None:
    (tmp_path / ".databrickscfg").write_text("[dev]\ntoken = x\n", encoding="utf-8")
    with pytest.raises(ProfileUnusable, match="names no host"):
        load_profile({"HOME": str(tmp_path)}, "dev")


def test_the_path_follows_the_environment(tmp_path: Path) -> None:
    assert config_path({"HOME": "/h"}) == Path("/h/.databrickscfg")
    assert config_path({"HOME": "/h", "DATABRICKS_CONFIG_FILE": "/x/cfg"}) == Path("/x/cfg")
    assert config_path({"HOME": "/h", "DATABRICKS_CONFIG_FILE": "~/cfg"}) == Path("/h/cfg")
