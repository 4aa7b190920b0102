"""One run of the load against one system, with the CPU that the kernel charged the system."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.gateway.systems import System

ROOT = Path(__file__).resolve().parents[2]


def run_load(system: System, kind: str, connections: int, seconds: float, more: list[str] | None = None) -> Any:
    """The load's figures by name, `cpu_us` a request and `cpu_event_us` an event; `errors` holds what went wrong.

    `more` is handed to the load as it is: headers as JSON, the model.
    """
    argv = ["taskset", "-c", "0", sys.executable, "-m", "bench.gateway.load", str(system.port), str(seconds)]
    argv += [str(connections), kind, system.path, system.key, *(more or [])]
    before = system.cpu_s()
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, encoding="utf-8", check=True, timeout=seconds + 60)
    used = system.cpu_s() - before
    figures: dict[str, Any] = json.loads(done.stdout)
    figures["cpu_us"] = used / max(1, figures["requests"]) * 1e6
    figures["cpu_event_us"] = used / max(1, figures["events"]) * 1e6
    return figures
