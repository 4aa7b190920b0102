"""Commands by name: module and one-line summary. A module is loaded when its command is typed.

A command module has `add_arguments(parser)` and `run(args, ctx) -> int`.
"""

from __future__ import annotations

from typing import Final

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "run": ("moor.cli.run", "one prompt, headless, to the end, with an exit code"),
    "demo": ("moor.cli.demo", "the whole of it on a simulated workspace, in a temporary directory"),
    "login": ("moor.cli.login", "sign in to an upstream, or renew"),
    "logout": ("moor.cli.logout", "forget the credential of an upstream"),
    "auth": ("moor.cli.auth", "what is signed in, as whom, for how long"),
    "upstream": ("moor.cli.upstream", "places that serve models: list, add, remove, show, use"),
    "models": ("moor.cli.models", "models, prices, and which of them may be called"),
    "status": ("moor.cli.status", "what a launch would use now, and what runs"),
    "ps": ("moor.cli.ps", "sessions and what each is doing"),
    "session": ("moor.cli.session", "conversations: list them, carry them between an agent's own home and moor's"),
    "usage": ("moor.cli.usage", "calls, tokens and cost from the ledger"),
    "top": ("moor.cli.top", "a live view of sessions, calls, tokens, caps and waits"),
    "calls": ("moor.cli.calls", "single model calls: what was said, sent and changed on the way"),
    "budget": ("moor.cli.budget", "caps on money and tokens: what is left, and a person's word to go on"),
    "agents": ("moor.cli.agents", "agents: installed, tested, newest; install, upgrade, remove, switch off"),
    "trust": ("moor.cli.trust", "let a repository's plugins, MCP servers and hooks in"),
    "upgrade": ("moor.cli.upgrade", "a newer moor, by the way this one was installed"),
    "config": ("moor.cli.config", "settings and where each came from"),
    "gateway": ("moor.cli.gateway", "the gateway alone, for editors and scripts"),
    "keys": ("moor.cli.keys", "keys of the stand-alone gateway: create, list, revoke"),
    "sim": ("moor.cli.sim", "a simulated workspace on loopback"),
    "completion": ("moor.cli.completion", "completion script for a shell"),
}
