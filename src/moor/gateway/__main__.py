"""`python -m moor.gateway`: the gateway of one session (`moor.gateway.process`)."""

from __future__ import annotations

import gc


def start() -> None:
    """Load it without the garbage collector, which would look through all modules again and again: a tenth of the
    start. The gateway turns it on when it serves."""
    gc.disable()
    from moor.gateway.process import run

    run()


if __name__ == "__main__":
    start()
