"""Programs that stand in an agent's place and misbehave."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from moor.agents.base import Installed

_WORDS: Final = "no luck today"
CRASH: Final = "crash"
HANG: Final = "hang"

_SHELL: Final = {
    CRASH: f"#!/bin/sh\necho {_WORDS} >&2\nexit 7\n",
    HANG: "#!/bin/sh\nexec sleep 4380\n",
}
_NODE: Final = {
    CRASH: f'console.error("{_WORDS}"); process.exit(7)\n',
    HANG: "setInterval(() => {}, 4380000)\n",
}
_SCRIPTS: Final = (".js", ".mjs", ".cjs")


def stand_in(folder: Path, agent_id: str, real: Installed, agents: Path, how: str, version: str = "") -> str:
    """The installed agent with a program that misbehaves in place of its own; the value of MOOR_TEST_AGENTS."""
    home = agents / agent_id / real.version
    inner = Path(real.path).relative_to(home)
    copy = folder / "agents" / agent_id / (version or real.version)
    for part in inner.parts:
        copy.mkdir(parents=True)
        for entry in home.iterdir():
            if entry.name != part:
                (copy / entry.name).symlink_to(entry)
        home, copy = home / part, copy / part
    program = copy
    texts = _NODE if program.suffix in _SCRIPTS else _SHELL
    for node in (home / "node_modules").glob("node-*/bin/node"):  # a Node.js of the agent's own
        link = folder / "agents" / agent_id / (version or real.version) / node.relative_to(home)
        link.parent.mkdir(parents=True)
        link.symlink_to(node.resolve())
    program.write_text(texts[how], encoding="utf-8")
    program.chmod(0o700)
    return str(folder / "agents")
