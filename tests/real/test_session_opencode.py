"""Conversations carried between the user's own OpenCode and moor's, by the real program, and gone on with."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.agents.opencode import OPENCODE
from tests.support import tui
from tests.support.workplace import Workplace, wait_until, workplace

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp("carry"), test_agents) as made:
        yield made


def content(folder: Path) -> dict[str, str]:
    """Every file below it that is not moor's, with the hash of what it holds."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and ".moor" not in path.parts]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def on_another_provider(database: Path) -> None:
    """The conversation was held with a provider that only the user's own config knows."""
    with sqlite3.connect(database) as connection:
        connection.execute("update message set data = replace(data, 'moor-anthropic', 'their-own')")
        connection.execute("update session set model = replace(model, 'moor-anthropic', 'their-own')")
    connection.close()


def test_a_conversation_goes_to_the_agents_own_home_and_comes_back_to_be_gone_on_with(place: Workplace) -> None:
    place.must("run", "--json", "sim:hello")
    refused = place.moor("session", "export")
    assert refused.code == 2
    assert "--to-agent-home" in refused.stderr
    conversation = place.must("session", "export", "--to-agent-home").stdout.split()[1]
    shutil.rmtree(place.home.root / "homes")
    on_another_provider(place.home.user / ".local" / "share" / "opencode" / "opencode.db")
    before = content(place.home.user)
    assert conversation in place.must("session", "import").stdout
    again = place.must("session", "import", conversation)
    assert "stays as it is" in again.stderr
    assert not again.stdout
    assert content(place.home.user) == before
    assert not list((place.folder / "tmp").glob("moor-session-*"))

    calls = len(place.model_calls())
    with place.window(OPENCODE.id, "--session", conversation) as window:
        window.wait_for("Hello", 60)
        busy = place.moor("session", "import")
        tui.settle(window, 0.5, 5.0)
        tui.ask(window, "and once more sim:hello")
        wait_until(lambda: len(place.model_calls()) > calls, lambda: window.text, 60)
        tui.settle(window, 1.0, 20.0)
        tui.leave(window)
    assert busy.code == 2, busy.stderr
    assert "agent-busy" in busy.stderr
    assert "moor ps" in busy.stderr


def test_what_cannot_be_carried_is_told(place: Workplace) -> None:
    inside = place.moor("session", "import", env={"MOOR_SESSION": "ses_x"})
    assert "inside" in inside.stderr
    unknown = place.moor("session", "import", "ses_nowhere")
    assert unknown.code == 2
    assert "unknown-conversation" in unknown.stderr
