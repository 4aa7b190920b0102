"""A launch context for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moor.agents.base import Installed, LaunchContext
from moor.domain.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT
from moor.domain.models import NANO, Model, Price
from moor.domain.session import Session
from moor.secrets import Secret

PRICE = Price(3 * NANO, 15 * NANO, NANO // 3, 4 * NANO, "test", "2026-01-01")
MAIN = Model(id="claude-x", family="claude", dialects=(ANTHROPIC_MESSAGES,), context=200_000, price=PRICE)
SMALL = Model(id="kimi", family="kimi", dialects=(OPENAI_CHAT,))
KEY = "moor-0123456789abcdefghij"


def make_context(folder: Path, **changes: Any) -> LaunchContext:
    """Below `folder`: `user` (HOME), `work` (the repository), `home`, `session`."""
    for name in ("user", "work", "home", "session"):
        (folder / name).mkdir(exist_ok=True)
    environ = {
        "HOME": str(folder / "user"),
        "PATH": "/usr/bin:/bin",
        "SHELL": "/bin/bash",
        "PWD": str(folder / "work"),
    }
    fields: dict[str, Any] = {
        "session": Session(id="ses_1", agent="x", cwd=str(folder / "work"), upstream="u", model=MAIN.id),
        "installed": Installed(str(folder / "v" / "node_modules" / "p" / "bin" / "opencode"), "1.18.33", "moor"),
        "gateway_url": "http://127.0.0.1:4000",
        "key": Secret(KEY),
        "model": MAIN,
        "small_model": SMALL,
        "models": (MAIN, SMALL),
        "home": folder / "home",
        "session_home": folder / "session",
        "user_home": folder / "user",
        "environ": {**environ, "MOOR_SESSION": "ses_1"},
        **changes,
    }
    return LaunchContext(**fields)
