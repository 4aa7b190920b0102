"""What a new upstream writes into the user's config, and what it leaves alone."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from moor.clock import ManualClock
from moor.domain.models import Catalogue, Model
from moor.domain.settings import UpstreamSettings
from moor.errors.upstream import UnknownUpstream, UpstreamInvalid, UpstreamNameInvalid
from moor.store.home import Home
from moor.store.settings import load_settings
from moor.upstreams import UPSTREAMS, open_upstream, upstream_settings
from moor.upstreams.enrol import check_name, name_for, record
from moor.upstreams.prices import price_of

CHAT = ("openai-chat",)
MODELS = tuple(Model(id=name, family="claude", dialects=CHAT) for name in ("claude-sonnet-5", "claude-haiku-4-5"))
CATALOGUE = Catalogue(upstream="ws", models=MODELS)
SETTINGS = UpstreamSettings(kind="databricks", host="https://ws.example")


def recorded(folder: Path, settings: UpstreamSettings, *, catalogue: Catalogue | None = CATALOGUE) -> dict[str, Any]:
    home = Home(folder / "home")
    home.ensure()
    record(home, load_settings(home, {}, folder), "ws", settings, catalogue)
    return tomllib.loads(home.config_path.read_text(encoding="utf-8"))


def test_the_first_upstream_becomes_the_default_with_two_models(tmp_path: Path) -> None:
    assert recorded(tmp_path, SETTINGS) == {
        "upstreams": {"ws": {"kind": "databricks", "host": "https://ws.example"}},
        "defaults": {"upstream": "ws", "model": "claude-sonnet-5", "small_model": "claude-haiku-4-5"},
    }


def test_what_the_user_set_stays(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.ensure()
    text = '# mine\n[defaults]\nmodel = "my-model" # why\n[upstreams.other]\nkind = "sim"\n[policy]\ndeny = ["x*"]\n'
    home.config_path.write_text(text, encoding="utf-8")
    written = recorded(tmp_path, SETTINGS)
    assert written["defaults"] == {"model": "my-model", "upstream": "ws"}
    assert set(written["upstreams"]) == {"other", "ws"}
    assert "# mine" in home.config_path.read_text(encoding="utf-8")
    assert "# why" in home.config_path.read_text(encoding="utf-8")


def test_denied_models_are_not_made_defaults(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.ensure()
    home.config_path.write_text('[policy]\ndeny = ["*sonnet*"]\n', encoding="utf-8")
    assert recorded(tmp_path, SETTINGS)["defaults"]["model"] == "claude-haiku-4-5"


def test_a_renewal_by_another_way_changes_that_setting_only(tmp_path: Path) -> None:
    recorded(tmp_path, SETTINGS)
    changed = UpstreamSettings(kind="databricks", host="https://ws.example", auth="pat")
    assert recorded(tmp_path, changed)["upstreams"]["ws"] == {
        "kind": "databricks",
        "host": "https://ws.example",
        "auth": "pat",
    }
    assert recorded(tmp_path, SETTINGS)["upstreams"]["ws"]["auth"] == ""


def test_without_models_only_the_upstream_is_written(tmp_path: Path) -> None:
    assert recorded(tmp_path, SETTINGS, catalogue=None)["defaults"] == {"upstream": "ws"}


@pytest.mark.parametrize(
    ("host", "taken", "name"),
    [
        ("https://dbc-1-2.cloud.databricks.com", (), "dbc-1-2"),
        ("https://adb-99.7.azuredatabricks.net", ("adb-99",), "adb-99-2"),
        ("https://adb-99.7.azuredatabricks.net", ("adb-99", "adb-99-2"), "adb-99-3"),
        ("http://127.0.0.1:8080", (), "local"),
    ],
)
def test_a_name_follows_from_the_host(host: str, taken: tuple[str, ...], name: str) -> None:
    assert name_for(host, taken) == name


@pytest.mark.parametrize("name", ["", "a.b", "a b", "../x", "-x", "é", "x" * 65, "a\n"])
def test_a_name_that_would_not_stand_well_is_refused(name: str) -> None:
    with pytest.raises(UpstreamNameInvalid):
        check_name(name)


def test_an_unknown_name_or_kind_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownUpstream) as unknown:
        upstream_settings(
            "wss", load_settings(Home(tmp_path), {}, tmp_path).settings.__class__(upstreams={"ws": SETTINGS})
        )
    assert unknown.value.hint == "did you mean: ws"
    with pytest.raises(UpstreamInvalid) as invalid:
        open_upstream("x", UpstreamSettings(kind="databrick"), Home(tmp_path), {}, ManualClock())
    assert "databricks" in invalid.value.hint


def test_every_kind_of_the_registry_opens(tmp_path: Path) -> None:
    for kind in UPSTREAMS:
        settings = UpstreamSettings(kind=kind, host="https://ws.example", base_url="http://127.0.0.1:1/v1")
        assert open_upstream("x", settings, Home(tmp_path), {}, ManualClock()).kind == kind


def test_list_prices_are_of_that_very_model() -> None:
    price = price_of("databricks-claude-sonnet-4-6")
    assert price is not None
    assert (price.input, price.cache_write) == (3_000_000_000, 3_750_000_000)
    assert price.source
    assert price.date
    assert price_of("gpt-5-99") is None
    assert price_of("") is None
