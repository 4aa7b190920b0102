"""The hot modules of the gateway in a checkout, compiled beside it: used while they are of these very sources.

`python -m scripts.compiled` (which `make compiled`, `make test` and `make bench` call, where a C compiler is) makes
them below `build/compiled`; a wheel may hold them beside the sources, and nothing here is needed. A source that
changed since, by size or time, turns all of them off: they call each other without looking names up, so that it is
all or nothing. `MOOR_INTERPRETED=1` turns them off too. Imported by each moor at its start, so it imports little.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec

STAMP = "stamp"
"""the folder below this one and the name of the library; then a line a module: its name, its source's size and time
(ns), and its path below `src`"""


class CompiledFinder:
    """Part of `sys.meta_path`: finds the compiled modules by name."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The compiled module's spec; None where the name is another's."""
        del path, target
        file = self._files.get(name)
        if file is None:
            return None
        spec = ModuleSpec(name, ExtensionFileLoader(name, file), origin=file)
        spec.has_location = True
        return spec


def folder(sources: str) -> str:
    """Where the compiled modules of a checkout's `src` folder are, for this interpreter."""
    tag = EXTENSION_SUFFIXES[0].strip(".").removesuffix(".so")
    return os.path.join(os.path.dirname(sources), "build", "compiled", tag)  # noqa: PTH118, PTH120


def fresh(sources: str) -> dict[str, str]:
    """Module name to file, where all of them are of the sources as they are now; else nothing."""
    found: dict[str, str] = {}
    try:
        with open(os.path.join(folder(sources), STAMP), encoding="utf-8") as file:  # noqa: PTH118, PTH123
            head, *lines = file.read().splitlines()
        below, library = head.split(" ")
        place = os.path.join(folder(sources), below)  # noqa: PTH118
        found[library] = _file(place, library)
        os.stat(found[library])  # noqa: PTH116 - it may be gone, or another user's
        for line in lines:
            name, size, time_ns, path = line.split(" ", 3)
            seen = os.stat(os.path.join(sources, path))  # noqa: PTH116, PTH118
            if (seen.st_size, seen.st_mtime_ns) != (int(size), int(time_ns)):
                return {}
            found[name] = _file(place, name)
    except (OSError, ValueError):
        return {}
    return found


def _file(place: str, name: str) -> str:
    return os.path.join(place, *name.split(".")) + EXTENSION_SUFFIXES[0]  # noqa: PTH118


def prefer(package_file: str) -> bool:
    """Have the compiled modules of this checkout imported from now on; False where there are none that fit."""
    sources = os.path.dirname(os.path.dirname(os.path.abspath(package_file)))  # noqa: PTH100, PTH120
    if os.path.basename(sources) != "src" or os.environ.get("MOOR_INTERPRETED"):  # noqa: PTH119
        return False
    files = fresh(sources)
    if files:
        sys.meta_path.insert(0, CompiledFinder(files))
    return bool(files)
