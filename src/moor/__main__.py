"""`moor` and `python -m moor`. The version is answered before anything else is loaded."""

from __future__ import annotations

import sys


def main() -> int:
    """Run one command; returns the exit code of design decision 13."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from moor.version import version_line

        print(version_line())
        return 0
    from moor.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
