"""One spelling of a model's name for tables: facts/databricks 2.2."""

from __future__ import annotations

import re
from typing import Final

_REGION: Final = re.compile(r"^(?:eu|us|apac|global|jp|au)[./]")
_VENDOR: Final = re.compile(r"^(?:anthropic|openai|google|meta|moonshotai|zai|deepseek|vertex_ai|bedrock|azure)[./]")
_OURS: Final = re.compile(r"^(?:system\.ai\.|databricks-)")
_DATED: Final = re.compile(r"(?:-v\d+(?::\d+)?|-\d{8}|-latest|@\d{8})+$")


def normal_id(model_id: str) -> str:
    """No region, vendor or catalogue prefix, dashes for dots, no date.

    `us.anthropic.claude-sonnet-4.6-v1:0` and `system.ai.claude-sonnet-4-6` give `claude-sonnet-4-6`.
    """
    name = model_id.strip().lower()
    for pattern in (_REGION, _VENDOR, _REGION, _VENDOR, _OURS, _OURS):
        name = pattern.sub("", name)
    return _DATED.sub("", name).replace(".", "-")
