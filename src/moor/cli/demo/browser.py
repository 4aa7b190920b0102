"""Stands in for the person's browser in the demo: opens the sign-in page and follows its redirect, loopback only.

`python -m moor.cli.demo.browser URL`; the simulated workspace consents by itself.
"""

from __future__ import annotations

import sys
import urllib.request
from urllib.parse import urlsplit


def main(argv: list[str]) -> int:
    """Open the address; 1 when it is not on loopback."""
    url = argv[1]
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        return 1
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=20) as page:
        page.read(65536)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
