"""Reads and writes Hermes' store of conversations. Runs in Hermes' interpreter: it imports nothing of moor.

    python -I carry.py list FOLDER STATE.db               conversations of the folder, as JSON
    python -I carry.py copy ID STATE.db OTHER-STATE.db    one conversation, by Hermes' own export and import

What is read is a copy of the database, so that nothing changes beside it. Addresses and providers stay behind: they
are those of a gateway that is gone, or of another home.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

BEHIND = ("billing_provider", "billing_base_url", "billing_mode", "profile_name")
BEHIND_CONFIG = ("provider", "base_url", "api_mode", "api_key")


def main() -> None:
    """What the first argument says. Ends with 1 and a sentence where Hermes refuses."""
    if sys.argv[1] == "list":
        sys.stdout.write(json.dumps(listed(database(sys.argv[3]), sys.argv[2])))
        return
    copied(sys.argv[2], database(sys.argv[3]), database(sys.argv[4]))


def database(path: str) -> Any:
    """Hermes' own store."""
    return importlib.import_module("hermes_state").SessionDB(db_path=Path(path))


def listed(store: Any, folder: str) -> list[dict[str, Any]]:
    """Conversations with something said in them."""
    found = []
    for row in store.list_sessions_rich(limit=1000):
        config = as_map(row.get("model_config"))
        place = row.get("cwd") or config.get("cwd") or ""
        if row.get("message_count") and place and os.path.realpath(place) == os.path.realpath(folder):
            title = str(row.get("title") or row.get("preview") or "")
            updated = float(row.get("last_active") or row.get("started_at") or 0)
            found.append({"id": str(row["id"]), "title": title, "updated": updated})
    return found


def copied(session_id: str, source: Any, target: Any) -> None:
    """Export here, import there. One that is there already is left as it is."""
    session = source.export_session(session_id)
    if session is None:
        sys.exit(f"there is no conversation {session_id}")
    config = as_map(session.get("model_config"))
    kept = {name: value for name, value in config.items() if name not in BEHIND_CONFIG}
    told = target.import_sessions([{**session, **dict.fromkeys(BEHIND), "model_config": kept}])
    if not told.get("ok"):
        sys.exit(f"Hermes refuses it: {json.dumps(told.get('errors'))[:300]}")


def as_map(value: Any) -> dict[str, Any]:
    """A JSON object, or a text that holds one; {} for anything else."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    main()
