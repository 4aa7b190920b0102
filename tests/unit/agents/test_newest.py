from __future__ import annotations

from pathlib import Path

import pytest

from moor.agents.newest import Newest, remember, remembered
from moor.store.home import Home


def test_answers_are_kept_beside_each_other(tmp_path: Path) -> None:
    home = Home(tmp_path / "moor")
    assert remembered(home) == {}
    remember(home, {"one": Newest("1.0.0", 5.0)})
    remember(home, {"two": Newest("2.0.0", 6.0), "one": Newest("1.1.0", 7.0)})
    assert remembered(home) == {"one": Newest("1.1.0", 7.0), "two": Newest("2.0.0", 6.0)}


@pytest.mark.parametrize("content", [b"no json", b"[]", b'{"one": 3}'])
def test_a_file_that_cannot_be_read_counts_as_nothing_asked(content: bytes, tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.agents_dir.mkdir()
    (home.agents_dir / "newest.json").write_bytes(content)
    assert remembered(home) == {}
