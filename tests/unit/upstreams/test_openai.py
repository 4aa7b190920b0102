"""OpenAI-compatible engines: listing, keys from the environment, and engines that list nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.clock import ManualClock
from moor.domain import dialects as d
from moor.domain.settings import PriceSettings, UpstreamSettings
from moor.errors.auth import SignInNeeded
from moor.errors.net import Unreachable
from moor.errors.upstream import NoModels, NoRouteError, UpstreamInvalid
from moor.secrets import Secret
from moor.sim.config import SimConfig
from moor.sim.embedded import EmbeddedSim
from moor.store.home import Home
from moor.upstreams.openai import KIND, OpenAiUpstream
from tests.support.web import Said, serve_web


def engine(folder: Path, url: str, environ: dict[str, str] | None = None, **more: object) -> OpenAiUpstream:
    settings = UpstreamSettings(kind=KIND, base_url=url, **more)  # type: ignore[arg-type]
    return OpenAiUpstream("eng", settings, Home(folder / "home"), environ or {}, ManualClock())


@pytest.mark.feature("F3.7")
def test_models_of_an_engine_are_listed_without_guessing_their_limits(tmp_path: Path) -> None:
    with EmbeddedSim(SimConfig(openai_engine=True, engine_api_key="k-123")) as sim:
        up = engine(tmp_path, f"{sim.url}/v1", {"KEY": "k-123"}, api_key_env="KEY")
        catalogue = up.refresh_catalogue()
    assert [model.id for model in catalogue.models] == ["sim-coder", "sim-small"]
    assert all((m.context, m.max_output, m.price, m.ready) == (None, None, None, None) for m in catalogue.models)
    assert up.catalogue() == catalogue


def test_calls_go_below_the_base_url_with_the_key(tmp_path: Path) -> None:
    up = engine(tmp_path, "http://127.0.0.1:9/v1/", {"KEY": "k"}, api_key_env="KEY", models=("m",))
    [model] = up.catalogue().models
    target = up.target(d.OPENAI_CHAT, model, d.STREAM)
    assert (target.path, target.auth, target.port) == ("/v1/chat/completions", "bearer", 9)
    current = up.credential().current()
    assert current is not None
    assert current.secret == Secret("k")
    with pytest.raises(NoRouteError):
        up.target(d.ANTHROPIC_MESSAGES, model, d.STREAM)


def test_an_engine_without_a_key_is_called_without_one(tmp_path: Path) -> None:
    up = engine(tmp_path, "http://127.0.0.1:9/v1", models=("m",))
    assert up.target(d.OPENAI_CHAT, up.catalogue().models[0], d.STREAM).auth == "none"
    current = up.credential().current()
    assert current is not None
    assert not current.secret
    assert not up.needs_sign_in()


def test_a_missing_key_names_its_variable(tmp_path: Path) -> None:
    up = engine(tmp_path, "http://127.0.0.1:9/v1", api_key_env="MY_KEY")
    assert up.needs_sign_in()
    with pytest.raises(SignInNeeded, match="MY_KEY"):
        up.refresh_catalogue()


def test_a_refused_key_names_its_variable_and_is_not_sent_twice(tmp_path: Path) -> None:
    with serve_web(lambda _: Said(401, b'{"error":{"message":"bad key"}}')) as web:
        up = engine(tmp_path, f"{web.url}/v1", {"MY_KEY": "k-secret"}, api_key_env="MY_KEY")
        with pytest.raises(SignInNeeded, match="MY_KEY") as caught:
            up.refresh_catalogue()
    assert len(web.asked) == 1
    assert "k-secret" not in f"{caught.value} {caught.value.hint}"


def test_an_engine_that_wants_a_key_nobody_configured_says_which_setting(tmp_path: Path) -> None:
    with serve_web(lambda _: Said(401)) as web, pytest.raises(SignInNeeded) as caught:
        engine(tmp_path, f"{web.url}/v1").refresh_catalogue()
    assert "api_key_env" in caught.value.hint


def test_an_engine_that_lists_nothing_has_the_configured_models(tmp_path: Path) -> None:
    with serve_web(lambda _: Said(404)) as web:
        configured = engine(tmp_path, f"{web.url}/v1", models=("a", "b")).refresh_catalogue()
        with pytest.raises(UpstreamInvalid, match=f"no list of models at {web.url}/v1/models"):
            engine(tmp_path, f"{web.url}/v1").refresh_catalogue()
    assert [model.id for model in configured.models] == ["a", "b"]
    assert len(configured.reasons) == 1


def test_an_empty_list_is_told(tmp_path: Path) -> None:
    with serve_web(lambda _: Said(200, b'{"data":[]}')) as web, pytest.raises(NoModels):
        engine(tmp_path, f"{web.url}/v1").refresh_catalogue()


def test_an_engine_that_does_not_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as caught:
        engine(tmp_path, "http://127.0.0.1:1/v1").refresh_catalogue()
    assert "start what should listen there" in caught.value.hint


def test_a_key_in_the_place_of_its_variable_s_name_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(UpstreamInvalid) as caught:
        engine(tmp_path, "http://127.0.0.1:9/v1", api_key_env="sk-abc-123")
    assert "sk-abc" not in f"{caught.value} {caught.value.hint}"


def test_an_engine_without_an_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UpstreamInvalid, match="base_url"):
        engine(tmp_path, "")


@pytest.mark.feature("F13.8")
def test_a_price_of_the_settings_is_that_of_the_model(tmp_path: Path) -> None:
    prices = {
        "sim-*": PriceSettings(1.0, 2.0, cache_write=1.5, level="config", date="2026-11-01"),
        "sim-small": PriceSettings(0.0, 0.0, level="administrator"),
    }
    up = engine(tmp_path, "http://127.0.0.1:9/v1", models=("sim-coder", "sim-small", "else"), prices=prices)
    by_id = {model.id: model.price for model in up.catalogue().models}
    told = by_id["sim-coder"]
    assert told is not None
    assert (told.input, told.output, told.cache_read, told.cache_write) == (10**9, 2 * 10**9, 10**9, 1_500_000_000)
    assert (told.hour, told.source, told.date) == (2 * 10**9, "config", "2026-11-01")
    free = by_id["sim-small"]
    assert free is not None
    assert (free.output, free.hour, free.source) == (0, 0, "administrator")
    assert by_id["else"] is None


@pytest.mark.feature("F13.8")
def test_an_administrators_glob_goes_before_a_users_own_id(tmp_path: Path) -> None:
    prices = {
        "sim-small": PriceSettings(0.0, 0.0, level="config"),
        "*": PriceSettings(1.0, 1.0, level="administrator"),
        "sim-*": PriceSettings(2.0, 2.0, level="administrator"),
        "sim-coder": PriceSettings(3.0, 3.0, level="administrator"),
    }
    up = engine(tmp_path, "http://127.0.0.1:9/v1", models=("sim-coder", "sim-small"), prices=prices)
    told = {model.id: model.price.input // 10**9 for model in up.catalogue().models if model.price is not None}
    assert told == {"sim-coder": 3, "sim-small": 1}
