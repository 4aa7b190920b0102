"""What a user must see when something is wrong: one sentence, the next command, the right exit code, no secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.moor import Done

STORE = "credentials.json"
"""the one file of a home that may hold a credential"""
_ERROR = re.compile(r"^error: ([a-z][a-z0-9-]*): (.+)$", re.MULTILINE)
_HINT = re.compile(r"^hint: (.+)$", re.MULTILINE)
_SENTENCE_MAX = 400


def assert_told(done: Done, code: int, ref: str, *parts: str) -> None:
    """Stderr holds one error of that reference and a hint; each of `parts` stands in one of the two."""
    shown = f"exit {done.code}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}"
    assert done.code == code, shown
    errors, hints = _ERROR.findall(done.stderr), _HINT.findall(done.stderr)
    assert [found for found, _ in errors] == [ref], shown
    assert len(hints) == 1, shown
    assert len(errors[0][1]) <= _SENTENCE_MAX, shown
    assert "Traceback" not in done.stderr + done.stdout, shown
    missing = [part for part in parts if part not in f"{errors[0][1]}\n{hints[0]}"]
    assert not missing, f"{missing} not in\n{shown}"


def assert_result(done: Done, status: str, ref: str) -> dict[str, Any]:
    """The last line of stdout is the result object of a run, and it tells the same error as stderr."""
    lines = done.stdout.splitlines()
    assert len(lines) == 1, f"{done.stdout}\n{done.stderr}"
    result: dict[str, Any] = done.last_json
    assert set(result) == {
        *("status", "text", "session", "agent", "model", "tokens", "cost_usd", "tool_calls", "changed_files"),
        *("auto_answered", "duration_s", "warning", "instead", "error"),
    }
    assert result["status"] == status, f"{result}\n{done.stderr}"
    assert result["error"]["ref"] == ref, f"{result}\n{done.stderr}"
    assert result["error"]["message"]
    return result


def assert_no_secret(folder: Path, secrets: Iterable[str], *texts: str) -> None:
    """None of the secrets stands in a text, or in a file below the folder other than the credential store."""
    known = [secret.encode() for secret in secrets]
    assert known, "no secret to look for"
    for text in texts:
        assert not [s for s in known if s in text.encode()], f"a secret was shown:\n{text}"
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.name != STORE:
            held = path.read_bytes()
            assert not [s for s in known if s in held], f"a secret lies in {path}"
    store = folder.rglob(STORE)
    assert all(path.stat().st_mode & 0o077 == 0 for path in store)
