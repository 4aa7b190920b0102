"""Compiles the hot modules of the gateway with mypyc, for a checkout or for a wheel.

    python -m scripts.compiled [--if-possible]   into build/compiled, where `moor` finds them; quick when they fit

The sources stay the truth: what is compiled is the very code that is interpreted elsewhere, with the types that mypy
checks. `--if-possible`: without a C compiler or Python's headers say so in one line and end well.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src"

PACKAGES = ("moor/gateway", "moor/gateway/filters", "moor/wire", "moor/wire/meter")
"""folders whose modules are compiled, but for those with classes of msgspec's, which makes them from annotations, and
compiled code keeps none; and for those with coroutines: on Python 3.13 a compiled one does not catch what its `await`
raises (mypyc 2.4)"""
KEPT = 3
"""compilations of a checkout that stay on the disk"""
LEFT_OUT = re.compile(r"\(msgspec\.Struct|^ *async def ", re.MULTILINE)
MORE = (
    *("moor/store/batch.py", "moor/store/rows.py", "moor/ledger/writer.py", "moor/domain/ids.py"),
    *("moor/domain/cost.py", "moor/workspace/keeper.py"),
)
INTERPRETED = frozenset(
    (
        # run once or once a second, and would only make the library larger
        *(
            "moor/gateway/standalone.py",
            "moor/gateway/server.py",
            "moor/gateway/tuning.py",
            "moor/gateway/activity.py",
            "moor/gateway/metrics.py",
        ),
        *("moor/gateway/warnings.py", "moor/gateway/connector.py", "moor/gateway/payloads.py"),
        # they call themselves on what agents and upstreams send: compiled code has no guard against deep nesting
        *("moor/gateway/guard.py", "moor/gateway/filters/schema_keys.py"),
        *("moor/wire/transcript.py", "moor/wire/listing.py", "moor/wire/catalogue.py", "moor/wire/numbers.py"),
    )
)

SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup
options = ["--strict", "--explicit-package-bases", "--ignore-missing-imports", "--config-file="]
modules = mypycify([*options, *sys.argv[1:]], opt_level="3", debug_level="0", target_dir="c")
setup(name="moorage-compiled", package_dir={"": "src"}, packages=[], ext_modules=modules,
      script_args=["-q", "build_ext", "--build-lib", "out", "--build-temp", "objects"])
"""


def modules() -> list[str]:
    """Paths below `src` of what is compiled, sorted."""
    found = {
        str(path.relative_to(SOURCES))
        for package in PACKAGES
        for path in (SOURCES / package).glob("*.py")
        if not path.name.startswith("__") and not LEFT_OUT.search(path.read_text(encoding="utf-8"))
    }
    return sorted((found | set(MORE)) - INTERPRETED)


def missing() -> str:
    """What a compilation lacks here, in words; empty when nothing."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"no C compiler ({compiler})"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        return "no headers of this Python"
    return ""


def build(into: Path) -> None:
    """Compile into that folder, laid out as the package is. Raises CalledProcessError with the compiler's words.

    Works on a copy of the sources: mypyc takes paths as they are given, and must not litter the checkout.
    """
    paths = modules()
    with tempfile.TemporaryDirectory(prefix="moor-compile-") as name:
        work = Path(name)
        shutil.copytree(SOURCES / "moor", work / "src" / "moor", ignore=shutil.ignore_patterns("__pycache__"))
        (work / "setup.py").write_text(SETUP, encoding="utf-8")
        environ = {**os.environ, "MYPYPATH": "src", "MOOR_INTERPRETED": "1"}
        argv = [sys.executable, "setup.py", *(f"src/{path}" for path in paths)]
        subprocess.run(
            argv, cwd=work, env=environ, check=True, capture_output=True, encoding="utf-8", errors="replace"
        )
        shutil.copytree(work / "out", into)


def renew(place: Path) -> None:
    """Compile for the checkout and note of which sources.

    What was compiled before stays beside it for a while: a moor that runs may still load some of it.
    """
    from moor.compiled import STAMP

    stats = {path: (SOURCES / path).stat() for path in modules()}
    place.mkdir(parents=True, exist_ok=True)
    below = Path(tempfile.mkdtemp(dir=place))
    try:
        build(below / "new")
    except subprocess.CalledProcessError:
        shutil.rmtree(below, ignore_errors=True)
        raise
    [library] = [file.name.removesuffix(EXTENSION_SUFFIXES[0]) for file in (below / "new").glob("*__mypyc*")]
    lines = [f"{below.name}/new {library}"]
    for path, seen in stats.items():
        lines.append(f"{path.removesuffix('.py').replace('/', '.')} {seen.st_size} {seen.st_mtime_ns} {path}")
    stamp = below / STAMP
    stamp.write_text("\n".join(lines) + "\n", encoding="utf-8")
    stamp.replace(place / STAMP)
    before = sorted((old for old in place.iterdir() if old.is_dir()), key=lambda old: old.stat().st_mtime)
    for old in before[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def main() -> int:
    """Compile where what is there does not fit."""
    from moor.compiled import folder, fresh

    parser = argparse.ArgumentParser(prog="python -m scripts.compiled")
    parser.add_argument("--if-possible", action="store_true", help="end well where it cannot be done")
    args = parser.parse_args()
    wanted = {path.removesuffix(".py").replace("/", ".") for path in modules()}
    if wanted == {name for name in fresh(str(SOURCES)) if "." in name}:
        return 0
    lack = missing()
    if not lack:
        print("compiling the gateway (a minute)", file=sys.stderr, flush=True)
        try:
            renew(Path(folder(str(SOURCES))))
        except subprocess.CalledProcessError as error:
            print((error.stderr or error.stdout)[-4000:], file=sys.stderr)
            lack = "the lines above say why"
    if lack:
        print(f"the gateway is not compiled and takes twice the CPU: {lack}", file=sys.stderr)
    return 0 if not lack or args.if_possible else 1


if __name__ == "__main__":
    sys.exit(main())
