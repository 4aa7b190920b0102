"""A fault of moor's own: a short notice, a report file, exit 70. A full or forbidden disk is no bug."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import time
import traceback
from pathlib import Path
from typing import Final

from moor.cli.output import Output
from moor.errors import BugError, ExitCode, MoorError
from moor.errors.store import storage_error
from moor.secrets import redact
from moor.store.files import write_private
from moor.store.home import Home
from moor.version import version_line

KEPT: Final = 20
"""older reports are removed"""


def report_bug(error: BaseException, argv: list[str], out: Output) -> int:
    """Tell the user, write the report, return the exit code. Never raises."""
    known = storage_error(error) if isinstance(error, OSError) else None
    if known is not None:
        out.error(known)
        return int(known.exit_code)
    text = report_text(error, argv)
    what = f"moor failed: {type(error).__name__}: {error}"
    try:
        path = _write(Home.from_environ(os.environ), text)
    except (MoorError, OSError) as second:
        print(text, file=out.stderr)
        out.error(BugError(what, context=f"no report was written: {second}", hint="please report the lines above"))
    else:
        out.error(BugError(what, context=f"a report was written: {path}", hint=f"please report it: less {path}"))
    return int(ExitCode.BUG)


def report_text(error: BaseException, argv: list[str]) -> str:
    """Versions, platform, command line and traceback, without credentials and without local variables."""
    lines = [
        f"time      {time.strftime('%Y-%m-%dT%H:%M:%S%z')}",
        f"version   {version_line()}",
        f"python    {platform.python_version()} {sys.executable}",
        f"platform  {platform.platform()}",
        f"command   moor {shlex.join(argv)}",
        "",
        *traceback.format_exception(error),
    ]
    return redact("\n".join(lines))


def _write(home: Home, text: str) -> Path:
    folder = home.folder(home.log_dir)
    path = folder / f"bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    write_private(path, text.encode("utf-8", "replace"))
    for old in sorted(folder.glob("bug-*.txt"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return path
