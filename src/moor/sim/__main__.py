"""`python -m moor.sim`"""

from __future__ import annotations

import sys

from moor.sim.main import main

if __name__ == "__main__":
    sys.exit(main())
