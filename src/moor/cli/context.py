"""What every command is handed: where it stands, how it speaks, and the settings when it asks for them."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from moor.cli.output import Output
from moor.clock import Clock, SystemClock

if TYPE_CHECKING:
    from moor.store.home import Home
    from moor.store.settings import Loaded


class Context:
    """One invocation of `moor`."""

    def __init__(self, out: Output, flags: dict[str, str] | None = None) -> None:
        self.out = out
        self.environ: dict[str, str] = dict(os.environ)
        self.cwd = Path.cwd()
        self.clock: Clock = SystemClock()
        self.flags = flags or {}
        """settings given as options, by dotted name (`defaults.model`)"""

    @cached_property
    def home(self) -> Home:
        """`~/.moor` or `MOOR_HOME`; not yet created."""
        from moor.store.home import Home

        return Home.from_environ(self.environ)

    @cached_property
    def loaded(self) -> Loaded:
        """Settings from all sources, with where each came from."""
        from moor.store.settings import load_settings

        return load_settings(self.home, self.environ, self.cwd, self.flags)

    @property
    def interactive(self) -> bool:
        """Somebody sits at a terminal and can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()
