from __future__ import annotations

from pathlib import Path

import pytest

from moor.agents.codex.managed import managed_notes


@pytest.mark.feature("F5.9")
@pytest.mark.parametrize(
    ("text", "notes"),
    [('model_provider = "x"\n[model_providers.x]\n', 2), ("[tui]\n", 0), ("= broken", 0), (None, 0)],
)
def test_settings_of_the_machine_that_would_win_are_named(tmp_path: Path, text: str | None, notes: int) -> None:
    managed = tmp_path / "managed_config.toml"
    if text is not None:
        managed.write_text(text, encoding="utf-8")
    assert len(managed_notes(managed)) == notes
