"""The gateway process, with the tasks of its loop counted into a file: what only the process itself can tell.

`python -m bench.gateway.counted FILE …` takes FILE, then the arguments of `moor.gateway.process`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from moor.gateway import process

EVERY_S = 0.2


def count_into(path: Path, loop: asyncio.AbstractEventLoop) -> None:
    """Write the number of unfinished tasks, again and again. On a thread."""
    while True:
        with contextlib.suppress(RuntimeError, OSError):  # the set of tasks changes while it is looked at
            path.write_text(str(len(asyncio.all_tasks(loop))), encoding="ascii")
        time.sleep(EVERY_S)


def main(path: Path, argv: list[str]) -> int:
    """Serve as the gateway does."""
    serve = process._serve

    async def counted(*args: Any) -> None:
        threading.Thread(target=count_into, args=(path, asyncio.get_running_loop()), daemon=True).start()
        await serve(*args)

    process._serve = counted
    return process.main(argv)


if __name__ == "__main__":
    code = main(Path(sys.argv[1]), sys.argv[2:])
    logging.shutdown()
    os._exit(code)
