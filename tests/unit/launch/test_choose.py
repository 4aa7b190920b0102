"""Which model a session runs on, and which it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.domain.models import Catalogue, Model
from moor.domain.policy import Policy, PolicyLayer
from moor.errors.launch import ModelNotAllowed, NoModel, UnknownModel
from moor.launch.choose import Chosen, choose_models
from moor.store.home import Home
from moor.store.settings import load_settings


def model(model_id: str, family: str = "claude", *, ready: bool | None = None, chat: bool = True) -> Model:
    return Model(id=model_id, family=family, dialects=("d",) if chat else (), ready=ready)


CATALOGUE = Catalogue(
    upstream="ws",
    models=(
        model("claude-opus-4-8"),
        model("claude-sonnet-4-6"),
        model("claude-sonnet-5"),
        model("claude-haiku-4-5"),
        model("gpt-5-mini", "gpt"),
        model("gte-large", "gte", chat=False),
    ),
)


class Bench:
    """A config file, an environment and options, as a user has them."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "moor")
        self.home.ensure()
        self.folder = folder

    def choose(
        self, config: str = "", *, policy: Policy | None = None, catalogue: Catalogue = CATALOGUE, **flags: str
    ) -> Chosen:
        self.home.config_path.write_text(config, encoding="utf-8")
        named = {f"defaults.{name}": value for name, value in flags.items()}
        loaded = load_settings(self.home, {}, self.folder, named)
        return choose_models(loaded, catalogue, policy or Policy(), "opencode")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.feature("F4.7")
def test_nothing_named_takes_the_newest_sonnet_and_a_small_one_of_its_family(bench: Bench) -> None:
    chosen = bench.choose()
    assert (chosen.main.id, chosen.small.id) == ("claude-sonnet-5", "claude-haiku-4-5")


@pytest.mark.feature("F4.7")
def test_the_agents_group_beats_the_defaults_and_an_option_beats_both(bench: Bench) -> None:
    config = '[defaults]\nmodel = "claude-opus-4-8"\n[agents.opencode]\nmodel = "claude-haiku-4-5"\n'
    assert bench.choose(config).main.id == "claude-haiku-4-5"
    assert bench.choose(config, model="gpt-5-mini").main.id == "gpt-5-mini"


def test_the_small_model_of_the_lasting_upstream_gives_way_at_another_that_lacks_it(bench: Bench) -> None:
    config = '[defaults]\nupstream = "home"\nsmall_model = "only-at-home"\n'
    assert bench.choose(config, upstream="ws").small.id == "claude-haiku-4-5"
    with pytest.raises(UnknownModel):
        bench.choose(config)
    with pytest.raises(UnknownModel):
        bench.choose(config, upstream="ws", small_model="only-at-home")
    assert bench.choose(config.replace("only-at-home", "gpt-5-mini"), upstream="ws").small.id == "gpt-5-mini"


def test_a_model_that_is_not_there_is_named_with_the_nearest(bench: Bench) -> None:
    with pytest.raises(UnknownModel) as caught:
        bench.choose(model="claude-sonet-5")
    assert "did you mean claude-sonnet-5" in caught.value.hint


@pytest.mark.feature("F4.4")
def test_a_denied_model_is_refused_and_never_replaced_silently(bench: Bench) -> None:
    policy = Policy((PolicyLayer("user", (), ("*sonnet*",)),))
    with pytest.raises(ModelNotAllowed) as caught:
        bench.choose(model="claude-sonnet-5", policy=policy)
    assert "user policy" in caught.value.message
    chosen = bench.choose(policy=policy)
    assert chosen.main.id == "claude-opus-4-8"
    assert not any("sonnet" in allowed.id for allowed in chosen.allowed)


def test_a_model_without_a_dialect_is_refused_with_the_reason(bench: Bench) -> None:
    with pytest.raises(ModelNotAllowed) as caught:
        bench.choose(model="gte-large")
    assert "dialect" in caught.value.message


def test_a_model_that_is_not_ready_is_not_picked(bench: Bench) -> None:
    catalogue = Catalogue(upstream="ws", models=(model("claude-sonnet-9", ready=False), model("kimi-2", "kimi")))
    assert bench.choose(catalogue=catalogue).main.id == "kimi-2"


def test_an_empty_list_says_what_the_upstream_said(bench: Bench) -> None:
    catalogue = Catalogue(upstream="ws", models=(), reasons=("the listing was refused",))
    with pytest.raises(NoModel) as caught:
        bench.choose(catalogue=catalogue)
    assert "the listing was refused" in caught.value.message


def test_a_policy_that_allows_nothing_is_named_as_the_reason(bench: Bench) -> None:
    with pytest.raises(NoModel) as caught:
        bench.choose(policy=Policy((PolicyLayer("administrator", ("none-*",)),)))
    assert "policy" in caught.value.message
