"""Which source wins, what policy and money cap come of all levels, and that nothing widens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moor.errors.config import ConfigSyntaxError, ConfigValueError
from moor.store.home import Home
from moor.store.settings import VARIABLES, Loaded, dollars_to_nano, load_settings
from tests.support.fuzz import examples


class Desk:
    """A home, a repository and an administrator's file to load settings from."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root / "m")
        self.home.ensure()
        self.repo = root / "repo"
        (self.repo / ".git").mkdir(parents=True)
        (self.repo / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
        self.admin = root / "policy.toml"

    def user(self, text: str) -> None:
        """Write the user's own file."""
        self.home.config_path.write_text(text, encoding="utf-8")

    def project(self, text: str) -> None:
        """Write the repository's file."""
        (self.repo / ".moor.toml").write_text(text, encoding="utf-8")

    def administrator(self, text: str) -> None:
        """Write the administrator's file."""
        self.admin.write_text(text, encoding="utf-8")
        self.admin.chmod(0o644)

    def load(self, environ: dict[str, str] | None = None, **flags: str) -> Loaded:
        """Settings as a command in the repository sees them."""
        named = {f"defaults.{name}": value for name, value in flags.items()}
        uid = self.home.uid
        return load_settings(self.home, environ or {}, self.repo, named, admin_path=self.admin, admin_uid=uid)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_without_any_file_there_are_defaults(desk: Desk) -> None:
    loaded = desk.load()
    assert (loaded.settings.defaults.model, loaded.budget_nano, loaded.policy.layers) == ("", None, ())
    assert {origin.source for origin in loaded.origins.values()} == {"default"}


SOURCES = ("user", "project", "environment", "option")


@pytest.mark.feature("F4.7")
@settings(max_examples=examples(20))
@given(given_by=st.sets(st.sampled_from(SOURCES)))
def test_an_option_beats_the_environment_beats_the_project_beats_the_user(
    tmp_path_factory: pytest.TempPathFactory, given_by: set[str]
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    if "user" in given_by:
        desk.user('[defaults]\nmodel = "user"\n')
    if "project" in given_by:
        desk.project('[defaults]\nmodel = "project"\n')
    environ = {"MOOR_MODEL": "environment"} if "environment" in given_by else {}
    flags = {"model": "option"} if "option" in given_by else {}
    origin = desk.load(environ, **flags).origins["defaults.model"]
    ranked = [name for name in reversed(SOURCES) if name in given_by]
    assert origin.value == (ranked[0] if ranked else "")
    assert origin.source == (ranked[0] if ranked else "default")
    assert [source for source, _ in origin.overridden] == ranked[1:]


def test_each_variable_sets_its_setting_and_an_empty_one_none(desk: Desk) -> None:
    loaded = desk.load({variable: variable.lower() for variable in VARIABLES.values()})
    for dotted, variable in VARIABLES.items():
        assert (
            loaded.origins[dotted].value
            == variable.lower()
            == getattr(loaded.settings.defaults, dotted.removeprefix("defaults."))
        )
    assert desk.load(dict.fromkeys(VARIABLES.values(), "")).settings.defaults.model == ""


def test_a_variable_with_an_escape_sequence_is_refused(desk: Desk) -> None:
    with pytest.raises(ConfigValueError) as caught:
        desk.load({"MOOR_MODEL": "m\x1b[2J"})
    assert "MOOR_MODEL" in caught.value.message
    assert "\x1b" not in str(caught.value)


def test_all_groups_of_the_users_file_arrive_typed(desk: Desk) -> None:
    desk.user(
        '[defaults]\nupstream = "dev"\n[upstreams.dev]\nkind = "k"\nmodels = ["a", "b"]\nallow_plaintext = true\n'
        '[agents.one]\nenabled = false\nenv = { A = "1" }\npass_env = ["B"]\n[policy]\nbudget_usd = 3\n'
    )
    loaded = desk.load()
    settings = loaded.settings
    assert settings.upstreams["dev"].models == ("a", "b")
    assert settings.upstreams["dev"].allow_plaintext
    assert settings.agent("one").env == {"A": "1"}
    assert not settings.agent("one").enabled
    assert settings.agent("other").enabled
    assert (settings.policy.budget_usd, loaded.budget_nano) == (3.0, 3_000_000_000)
    assert loaded.origins["upstreams.dev.kind"].where == str(desk.home.config_path)


@pytest.mark.parametrize("head", ["\ufeff", "", "\r\n"])
def test_files_of_windows_editors_are_read(desk: Desk, head: str) -> None:
    desk.home.config_path.write_bytes(f'{head}[defaults]\r\nmodel = "m"\r\n'.encode())
    assert desk.load().settings.defaults.model == "m"


@pytest.mark.feature("F4.4")
def test_every_level_of_the_policy_must_let_a_model_through(desk: Desk) -> None:
    desk.administrator('[policy]\nallow = ["claude-*", "gpt-*"]\n')
    desk.user('[policy]\ndeny = ["gpt-4*"]\n')
    desk.project('[policy]\nallow = ["*"]\ndeny = ["claude-1"]\n')
    policy = desk.load().policy
    assert [layer.level for layer in policy.layers] == ["administrator", "user", "project"]
    assert policy.why_not("claude-2") is None
    for model, level in (("llama", "administrator"), ("gpt-4o", "user"), ("claude-1", "project")):
        assert level in str(policy.why_not(model))


globs = st.lists(st.sampled_from(["a*", "b*", "*", "ab", "c"]), max_size=3)
rules = st.fixed_dictionaries({"allow": globs, "deny": globs})


@settings(max_examples=examples(40))
@given(user=rules, project=rules)
def test_a_project_never_lets_a_model_through_that_the_user_does_not(
    tmp_path_factory: pytest.TempPathFactory, user: dict[str, Any], project: dict[str, Any]
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.user(f"[policy]\nallow = {user['allow']}\ndeny = {user['deny']}\n")
    alone = desk.load().policy
    desk.project(f"[policy]\nallow = {project['allow']}\ndeny = {project['deny']}\n")
    both = desk.load().policy
    for model in ("a", "ab", "b", "c", "d"):
        if alone.why_not(model):
            assert both.why_not(model)


caps = st.none() | st.floats(0.01, 1000)


@settings(max_examples=examples(30))
@given(admin=caps, user=caps, project=caps)
def test_the_lowest_money_cap_of_all_levels_holds(
    tmp_path_factory: pytest.TempPathFactory, admin: float | None, user: float | None, project: float | None
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    for write, cap in ((desk.administrator, admin), (desk.user, user), (desk.project, project)):
        if cap is not None:
            write(f"[policy]\nbudget_usd = {cap!r}\n")
    loaded = desk.load()
    stated = [cap for cap in (admin, user, project) if cap is not None]
    assert loaded.settings.policy.budget_usd == (min(stated) if stated else None)
    assert loaded.budget_nano == (dollars_to_nano(min(stated)) if stated else None)
    assert len(loaded.origins["policy.budget_usd"].overridden) == max(0, len(stated) - 1)


@given(st.integers(1, 10**12))
def test_dollars_with_six_decimals_become_exact_nano_dollars(micro: int) -> None:
    assert dollars_to_nano(micro / 1_000_000) == micro * 1000


def test_a_file_nested_too_deeply_is_refused_in_words(desk: Desk) -> None:
    desk.user("a = " + "[" * 20_000 + "]" * 20_000)
    with pytest.raises(ConfigSyntaxError):
        desk.load()
