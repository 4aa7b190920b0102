"""Who works where: the login name, the repository and its branch, for the rows of the ledger."""

from __future__ import annotations

import os
from collections.abc import Mapping


def login_name(environ: Mapping[str, str]) -> str:
    """The user's name on this machine; the number where there is none."""
    return environ.get("USER") or environ.get("LOGNAME") or str(os.getuid())
