"""Which model a session runs on, and which it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.domain.models import Catalogue, Model
from moor.domain.policy import Policy, PolicyLayer
from moor.errors.launch import ModelDialectUnfit, ModelNotAllowed, NoModel, UnknownModel
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
        self,
        config: str = "",
        *,
        policy: Policy | None = None,
        catalogue: Catalogue = CATALOGUE,
        dialects: tuple[str, ...] = (),
        **flags: str,
    ) -> Chosen:
        self.home.config_path.write_text(config, encoding="utf-8")
        named = {f"defaults.{name}": value for name, value in flags.items()}
        loaded = load_settings(self.home, {}, self.folder, named)
        return choose_models(loaded, catalogue, policy or Policy(), "opencode", dialects)


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


TWO = Catalogue(
    upstream="ws",
    models=(
        Model(id="claude-sonnet-5", family="claude", dialects=("d", "e")),
        Model(id="gpt-5-mini", family="gpt", dialects=("e",)),
        Model(id="claude-haiku-4-5", family="claude", dialects=("d",)),
    ),
)


def test_only_models_that_the_agent_can_speak_to_are_offered(bench: Bench) -> None:
    chosen = bench.choose(catalogue=TWO, dialects=("e",))
    assert [model.id for model in chosen.allowed] == ["claude-sonnet-5", "gpt-5-mini"]
    assert chosen.small.id == "gpt-5-mini"


def test_a_lasting_default_gives_way_for_an_agent_that_cannot_speak_to_it(bench: Bench) -> None:
    config = '[defaults]\nmodel = "gpt-5-mini"\nsmall_model = "gpt-5-mini"\n'
    chosen = bench.choose(config, catalogue=TWO, dialects=("d",))
    assert (chosen.main.id, chosen.small.id) == ("claude-sonnet-5", "claude-haiku-4-5")


@pytest.mark.parametrize("how", ["flag", "group", "slot", "fallback"])
def test_a_model_named_for_an_agent_that_cannot_speak_to_it_is_refused_with_those_it_can(
    bench: Bench, how: str
) -> None:
    config = {
        "flag": "",
        "group": '[agents.opencode]\nmodel = "gpt-5-mini"\n',
        "slot": '[agents.opencode.slots]\nopus = "gpt-5-mini"\n',
        "fallback": '[agents.opencode]\nfallback = ["gpt-5-mini"]\n',
    }[how]
    flags = {"model": "gpt-5-mini"} if how == "flag" else {}
    with pytest.raises(ModelDialectUnfit) as caught:
        bench.choose(config, catalogue=TWO, dialects=("d",), **flags)
    assert "claude-sonnet-5" in caught.value.hint


def test_an_upstream_without_a_model_for_the_agent_says_which_dialect_is_missing(bench: Bench) -> None:
    with pytest.raises(NoModel, match="served in that"):
        bench.choose(catalogue=TWO, dialects=("f",))


def test_a_fallback_stands_in_for_a_model_that_is_not_ready_and_says_so(bench: Bench) -> None:
    catalogue = Catalogue(upstream="ws", models=(model("claude-opus-9", ready=False), model("claude-opus-8")))
    config = '[agents.opencode]\nmodel = "claude-opus-9"\nfallback = ["claude-opus-8"]\n'
    chosen = bench.choose(config, catalogue=catalogue)
    assert (chosen.main.id, chosen.replaced) == ("claude-opus-8", "claude-opus-9")
    alone = bench.choose('[agents.opencode]\nmodel = "claude-opus-9"\n', catalogue=catalogue)
    assert (alone.main.id, alone.replaced) == ("claude-opus-9", "")


def test_slots_hold_the_models_they_name(bench: Bench) -> None:
    chosen = bench.choose('[agents.opencode.slots]\nfast = "claude-haiku-4-5"\n')
    assert chosen.slots["fast"].id == "claude-haiku-4-5"


def test_a_fallback_at_another_upstream_is_left_to_that_upstreams_list(bench: Bench) -> None:
    config = (
        '[upstreams.backup]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
        '[agents.opencode]\nfallback = ["backup/any-model", "claude-sonnet-5"]\n'
    )
    assert [model.id for model in bench.choose(config).fallback] == ["claude-sonnet-5"]
    with pytest.raises(UnknownModel):
        bench.choose('[agents.opencode]\nfallback = ["nowhere/any-model"]\n')
