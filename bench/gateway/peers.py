"""A peer that is measured where it is installed: LiteLLM's proxy, one worker, without a database."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

from bench.gateway.systems import KEY, System, await_port, free_port

NAME = "litellm"


def start_litellm(core: int, folder: Path, origin: System) -> System | None:
    """The proxy in front of the endpoint; None where it is not installed. It takes about seven seconds to start."""
    binary = shutil.which("litellm")
    if binary is None or importlib.util.find_spec("litellm") is None:
        return None
    port = free_port()
    place = {"model": "anthropic/m", "api_base": f"http://127.0.0.1:{origin.port}", "api_key": "bench"}
    config = {
        "model_list": [{"model_name": "m", "litellm_params": place}],
        "general_settings": {"master_key": f"sk-{KEY}"},
        "litellm_settings": {"telemetry": False},
    }
    path = folder / "litellm.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    argv = ["taskset", "-c", str(core), binary, "--config", str(path), "--port", str(port), "--num_workers", "1"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    await_port(port, 60.0)
    system = System(NAME, port, "/v1/messages", process)
    system.key = f"sk-{KEY}"
    return system
