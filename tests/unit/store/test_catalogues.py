"""Model lists are kept a file an upstream; what cannot be read is fetched again."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.domain.models import Catalogue, Model, Price
from moor.store.catalogues import load_catalogue, remove_catalogue, save_catalogue
from moor.store.home import Home

CATALOGUE = Catalogue(
    upstream="dev",
    models=(
        Model(
            id="system.ai.m-1",
            family="claude",
            dialects=("a", "b"),
            context=200_000,
            price=Price(1, 2, 3, 4, "workspace", "2026-10-01"),
            ready=None,
        ),
        Model(id="ü", family="", dialects=()),
    ),
    fetched_at=1.5,
    route="gateway",
    reasons=("listing b: 404",),
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "m")


def test_a_list_comes_back_as_it_was(home: Home) -> None:
    save_catalogue(home, CATALOGUE)
    assert load_catalogue(home, "dev") == CATALOGUE


def test_there_is_none_before_the_first_fetch_and_after_removal(home: Home) -> None:
    assert load_catalogue(home, "dev") is None
    remove_catalogue(home, "dev")
    save_catalogue(home, CATALOGUE)
    remove_catalogue(home, "dev")
    assert load_catalogue(home, "dev") is None


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b'{"version":1,"catalogue":{"upstream":"dev"}}', b"\xff"])
def test_a_damaged_list_is_as_good_as_none(home: Home, content: bytes) -> None:
    save_catalogue(home, CATALOGUE)
    next(home.catalogues_dir.iterdir()).write_bytes(content)
    assert load_catalogue(home, "dev") is None


def test_a_list_of_another_form_is_as_good_as_none(home: Home) -> None:
    save_catalogue(home, CATALOGUE)
    path = next(home.catalogues_dir.iterdir())
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":9'))
    assert load_catalogue(home, "dev") is None


def test_a_hostile_name_stays_in_the_folder(home: Home) -> None:
    name = "../../etc/x"
    save_catalogue(home, Catalogue(upstream=name, models=()))
    assert load_catalogue(home, name) == Catalogue(upstream=name, models=())
    assert [path.parent for path in home.root.rglob("*.json")] == [home.catalogues_dir]
