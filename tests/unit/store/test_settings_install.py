from __future__ import annotations

from pathlib import Path

import pytest

from moor.errors.config import ConfigTypeError, ConfigValueError
from moor.store.home import Home
from moor.store.settings import Loaded, load_settings
from moor.store.settings_edit import value_from_text


def loaded(folder: Path, text: str) -> Loaded:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return load_settings(Home(folder), {}, folder)


def test_the_age_of_releases_is_a_week_unless_the_config_says_otherwise(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").settings.install.min_age_days == 7
    found = loaded(tmp_path, "[install]\nmin_age_days = 0\n")
    assert found.settings.install.min_age_days == 0
    assert found.origins["install.min_age_days"].source == "user"
    assert value_from_text("install.min_age_days", "30") == 30


@pytest.mark.parametrize("text", ["-1", "4000"])
def test_an_age_that_makes_no_sense_is_refused_with_its_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigValueError, match="min_age_days") as caught:
        loaded(tmp_path, f"\n[install]\nmin_age_days = {text}\n")
    assert "3" in str(caught.value)


@pytest.mark.parametrize("text", ['"7"', "true", "1.5"])
def test_an_age_that_is_no_whole_number_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigTypeError):
        loaded(tmp_path, f"[install]\nmin_age_days = {text}\n")
