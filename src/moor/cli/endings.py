"""Work that must tidy up when the user ends it: SIGTERM and a closed terminal do what Ctrl-C does."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ENDINGS: Final = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def endings_as_interrupt() -> Iterator[None]:
    """In the block SIGTERM and SIGHUP raise KeyboardInterrupt, unless they are ignored (nohup). Main thread only."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in _ENDINGS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
