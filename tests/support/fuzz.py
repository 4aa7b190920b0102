"""How long properties are tried: a little in `make test`, as long as a person likes by `make fuzz TIMES=…`."""

from __future__ import annotations

import os
from typing import Final

TIMES: Final = max(1, int(os.environ.get("MOOR_FUZZ") or 1))
"""how many times the usual number of examples"""
USUAL: Final = 100


def examples(usual: int = USUAL) -> int:
    """`max_examples` of a property that is tried `usual` times in `make test`."""
    return usual * TIMES
