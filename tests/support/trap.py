"""An address that nobody may call."""

from __future__ import annotations

import contextlib
import socket
import threading


class Trap:
    """Listens on loopback and counts who calls."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.callers = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self._server.accept()[0].close()
            except OSError:
                return
            self.callers += 1

    def close(self) -> None:
        """Nobody listens any more."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
