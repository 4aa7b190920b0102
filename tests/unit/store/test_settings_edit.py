"""A change touches its own key; comments, order and everything else of the user's file stay."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moor.errors.config import (
    ConfigSyntaxError,
    ConfigTypeError,
    ConfigUnknownKeyError,
    ConfigValueError,
    SettingNotSetError,
    SettingUnknownError,
)
from moor.store.home import Home
from moor.store.settings_edit import remove, set_value, set_values, setting_type, value_from_text
from tests.support.fuzz import examples

USERS_OWN = """# my settings, do not touch
[defaults]
model = "old"      # the good one
upstream = "dev"

# the workspace
[upstreams.dev]
kind = "k"
host = 'https://dev'   # single quotes
models = [
  "a",  # first
  "b",
]
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "m")
    home.ensure()
    return home


def write(home: Home, text: str) -> None:
    home.config_path.write_text(text, encoding="utf-8")


def text_of(home: Home) -> str:
    return home.config_path.read_text(encoding="utf-8")


@pytest.mark.feature("F5.1")
def test_only_the_line_of_the_key_changes(home: Home) -> None:
    write(home, USERS_OWN)
    set_value(home, "defaults.model", "new")
    assert text_of(home) == USERS_OWN.replace('model = "old"', 'model = "new"')


def test_a_key_that_was_added_and_removed_leaves_the_file_as_it_was(home: Home) -> None:
    write(home, USERS_OWN)
    for key, value in (("policy.deny", ["x"]), ("agents.one.env.A", "1"), ("upstreams.dev.route", "r")):
        set_value(home, key, value)
        remove(home, key)
    assert tomllib.loads(text_of(home)) == tomllib.loads(USERS_OWN)
    for line in USERS_OWN.splitlines():
        assert line in text_of(home).splitlines()


def test_the_first_setting_makes_a_private_file(home: Home) -> None:
    set_value(home, "defaults.model", "m")
    assert text_of(home) == '[defaults]\nmodel = "m"\n'
    assert home.config_path.stat().st_mode & 0o777 == 0o600


def test_a_whole_upstream_is_added_and_removed(home: Home) -> None:
    write(home, USERS_OWN)
    set_values(home, {"upstreams.two": {"kind": "k", "models": ("a",)}, "defaults.upstream": "two"})
    data = tomllib.loads(text_of(home))
    assert data["upstreams"]["two"] == {"kind": "k", "models": ["a"]}
    assert data["defaults"]["upstream"] == "two"
    remove(home, "upstreams.two")
    assert list(tomllib.loads(text_of(home))["upstreams"]) == ["dev"]


APART = """\
[upstreams.one]  # mine
kind = "sim"

[defaults]
upstream = "one"

[upstreams.one.prices."claude-*"]
input = 1.0
output = 2.0

[upstreams.two]
kind = "sim"
"""


@pytest.mark.parametrize(
    "change",
    [
        lambda home: remove(home, "upstreams.one.prices"),
        lambda home: remove(home, "upstreams.one"),
        lambda home: remove(home, "upstreams.two"),
        lambda home: set_value(home, "upstreams.one", {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}),
        lambda home: set_value(home, "upstreams.two.kind", "openai"),
        lambda home: set_value(home, "upstreams.three", {"kind": "sim"}),
        lambda home: set_value(home, "agents.claude.model", "m"),
    ],
)
def test_tables_that_stand_apart_are_changed_without_losing_another(
    home: Home, change: Callable[[Home], None]
) -> None:
    home.config_path.write_text(APART, encoding="utf-8")
    change(home)
    after = home.config_path.read_text(encoding="utf-8")
    tables = tomllib.loads(after)
    assert tables["defaults"] == {"upstream": "one"}
    assert len(tables.get("upstreams", {})) >= 1
    if "two" not in tables["upstreams"]:
        assert tables["upstreams"]["one"]["prices"]
    if "one" not in tables["upstreams"]:
        assert tables["upstreams"]["two"]
    else:
        assert "# mine" in after


def test_several_changes_are_made_together_or_not_at_all(home: Home) -> None:
    write(home, USERS_OWN)
    with pytest.raises(ConfigValueError):
        set_values(home, {"defaults.model": "new", "policy.budget_usd": -1})
    with pytest.raises(SettingUnknownError):
        set_values(home, {"defaults.model": "new", "defaults.modle": "x"})
    assert text_of(home) == USERS_OWN


def test_a_file_that_does_not_parse_is_left_alone(home: Home) -> None:
    write(home, USERS_OWN + "oops\n")
    for change in (lambda: set_value(home, "defaults.model", "m"), lambda: remove(home, "defaults.model")):
        with pytest.raises(ConfigSyntaxError) as caught:
            change()
        assert "line 14" in caught.value.message
    assert text_of(home) == USERS_OWN + "oops\n"


def test_a_mistake_can_be_removed_by_command(home: Home) -> None:
    write(home, USERS_OWN.replace("model =", "modle =", 1))
    with pytest.raises(ConfigUnknownKeyError):
        set_value(home, "defaults.agent", "a")
    remove(home, "defaults.modle")
    assert "modle" not in text_of(home)


@pytest.mark.parametrize("key", ["defaults.agent", "agents.one", "upstreams.two.host", "nothing", "defaults.model.x"])
def test_removing_what_is_not_set_says_so(home: Home, key: str) -> None:
    write(home, USERS_OWN)
    with pytest.raises(SettingNotSetError):
        remove(home, key)
    assert text_of(home) == USERS_OWN


@pytest.mark.parametrize(
    ("key", "close"),
    [
        ("defaults.modle", "defaults.model"),
        ("default.model", "defaults"),
        ("model", "defaults.model"),
        ("upstreams.dev.hots", "upstreams.dev.host"),
        ("defaults", ""),
        ("upstreams", ""),
        ("agents.one", ""),
        ("", ""),
        ("defaults.model.x", ""),
        ("agents.one.env.A.B", ""),
    ],
)
def test_a_setting_that_does_not_exist_is_named_with_the_one_that_was_meant(key: str, close: str) -> None:
    with pytest.raises(SettingUnknownError) as caught:
        setting_type(key)
    assert (close in caught.value.hint) if close else ("moor config show" in caught.value.hint)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("defaults.model", "a,b", "a,b"),
        ("agents.one.enabled", "false", False),
        ("policy.budget_usd", "2.5", 2.5),
        ("policy.deny", "a, b,", ["a", "b"]),
        ("policy.deny", '["a", "b,c"]', ["a", "b,c"]),
        ("policy.deny", "", []),
        ("agents.one.env.A", "1", "1"),
    ],
)
def test_a_value_from_the_command_line_gets_the_settings_type(key: str, text: str, value: Any) -> None:
    assert value_from_text(key, text) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("agents.one.enabled", "yes"),
        ("policy.budget_usd", "much"),
        ("policy.deny", "[1]"),
        ("policy.deny", "[oops"),
        ("agents.one.env", "A=1"),
    ],
)
def test_a_value_of_another_type_is_refused_with_an_example(key: str, text: str) -> None:
    with pytest.raises(ConfigTypeError) as caught:
        value_from_text(key, text)
    assert "write it so" in caught.value.hint


def test_a_link_to_the_users_dotfiles_stays_a_link(home: Home, tmp_path: Path) -> None:
    (tmp_path / "dotfiles.toml").write_text(USERS_OWN, encoding="utf-8")
    home.config_path.symlink_to(tmp_path / "dotfiles.toml")
    set_value(home, "defaults.model", "new")
    assert home.config_path.is_symlink()
    assert 'model = "new"' in (tmp_path / "dotfiles.toml").read_text(encoding="utf-8")


def test_processes_that_change_the_file_at_once_lose_no_change(home: Home) -> None:
    write(home, USERS_OWN)
    script = (
        "import sys\nfrom pathlib import Path\nfrom moor.store.home import Home\n"
        "from moor.store.settings_edit import set_value\n"
        "for n in range(5): set_value(Home(Path(sys.argv[1])), f'agents.a{sys.argv[2]}.env.V{n}', 'x')"
    )
    workers = [subprocess.Popen([sys.executable, "-c", script, str(home.root), str(n)]) for n in range(6)]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 6
    agents = tomllib.loads(text_of(home))["agents"]
    assert {len(agent["env"]) for agent in agents.values()} == {5}
    assert len(agents) == 6


names = st.text("abc", min_size=1, max_size=3)
plain = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
changes = st.lists(
    st.tuples(
        st.sampled_from(
            ["defaults.agent", "defaults.model", "agents.one.model", "agents.two.env.X", "agents.two.env.Y"]
        ),
        st.none() | plain,
    ),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(25))
@given(changes=changes)
def test_any_row_of_changes_ends_in_what_a_plain_table_would_hold(home: Home, changes: list[tuple[str, Any]]) -> None:
    write(home, USERS_OWN)
    expected = {"defaults.model": "old"}
    for key, value in changes:
        if value is not None:
            set_value(home, key, value)
            expected[key] = value
        elif key in expected:
            remove(home, key)
            del expected[key]
    data = tomllib.loads(text_of(home))
    agents = data.get("agents", {})
    found = {f"defaults.{key}": value for key, value in data.get("defaults", {}).items() if key != "upstream"}
    found |= {f"agents.{name}.model": a["model"] for name, a in agents.items() if "model" in a}
    found |= {f"agents.{n}.env.{k}": v for n, a in agents.items() for k, v in a.get("env", {}).items()}
    assert found == expected
    assert data["upstreams"] == tomllib.loads(USERS_OWN)["upstreams"]
    assert "# the workspace" in text_of(home)
