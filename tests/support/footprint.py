"""What a folder holds, exactly: to say that nothing of it was touched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

Picture = dict[str, tuple[int, int, str]]
"""relative path to mode, time of change in ns, and SHA-256 (a link's target; empty for a folder)"""

USER_FILES: Final = {
    ".config/opencode/opencode.jsonc": '// mine\n{"$schema": "https://opencode.ai/config.json", "theme": "mine"}\n',
    ".config/opencode/agent/mine.md": "---\ndescription: mine\n---\nBe brief.\n",
    ".config/opencode/AGENTS.md": "Always answer in verse.\n",
    ".local/share/opencode/auth.json": '{"anthropic": {"type": "api", "key": "sk-ant-mine"}}',
    ".local/state/opencode/kv.json": "{}",
    ".cache/opencode/models.json": "{}",
    ".opencode/opencode.json": '{"model": "anthropic/claude-3"}',
    ".opencode/plugin/mine.js": "export const Mine = async () => ({})\n",
    ".npmrc": "fund=false\n",
    ".npm/_cacache/index-v5/00/x": "x",
    ".claude/settings.json": '{"env": {"ANTHROPIC_BASE_URL": "https://elsewhere.invalid"}}',
    ".claude/CLAUDE.md": "mine\n",
    ".claude.json": "{}",
    ".codex/config.toml": 'model = "gpt-5"\n',
    ".codex/auth.json": '{"OPENAI_API_KEY": "sk-mine"}',
    ".gemini/settings.json": "{}",
    ".gemini/.env": "GEMINI_API_KEY=mine\n",
    ".databrickscfg": "[DEFAULT]\nhost = https://elsewhere.invalid\ntoken = dapi00000000000000000000000000000000\n",
    ".gitconfig": "[user]\n\tname = Tester\n\temail = tester@example.invalid\n",
    ".bashrc": "export FROM_BASHRC=1\n",
}

REPOSITORY_FILES: Final = {
    "opencode.json": json.dumps({"model": "other/model", "plugin": ["./plugin.js"], "share": "auto"}),
    "plugin.js": "export const P = async () => ({})\n",
    ".opencode/agent/reviewer.md": "---\ndescription: reviews\n---\nReview.\n",
    ".opencode/plugin/evil.js": "export const E = async () => ({})\n",
    ".claude/settings.json": '{"hooks": {}}',
    ".codex/config.toml": "",
    ".gemini/settings.json": "{}",
    ".mcp.json": "{}",
    ".env": "OPENAI_API_KEY=sk-of-the-repository\n",
    "AGENTS.md": "Use tabs.\n",
    "CLAUDE.md": "Use tabs.\n",
    "GEMINI.md": "Use tabs.\n",
}


def write_all(folder: Path, files: dict[str, str]) -> None:
    """Write files by relative path."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def picture(folder: Path, without: Iterable[str] = ()) -> Picture:
    """Everything below the folder, the folder itself included; `without` names entries directly in it."""
    found: Picture = {}
    skipped = {folder / name for name in without}
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        state = path.lstat()
        digest = ""
        if path.is_symlink():
            digest = str(path.readlink())
        elif path.is_dir():
            waiting += [entry for entry in path.iterdir() if entry not in skipped]
        else:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(folder))] = (state.st_mode, state.st_mtime_ns, digest)
    return found


def changes(before: Picture, after: Picture) -> list[str]:
    """`+new`, `-gone`, `~changed`, sorted by path."""
    return sorted(
        [f"+{name}" for name in after.keys() - before.keys()]
        + [f"-{name}" for name in before.keys() - after.keys()]
        + [f"~{name}" for name in before.keys() & after.keys() if before[name] != after[name]],
        key=lambda line: line[1:],
    )
