from __future__ import annotations

import sys

from moor.agents.platform import this_machine


def test_this_machine_is_named_as_npm_names_it() -> None:
    machine = this_machine()
    assert machine.system == sys.platform
    assert machine.cpu in ("x64", "arm64")
    assert isinstance(machine.musl, bool)
