"""`moor upgrade`: a newer moor, by the way this one was installed."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from moor import __version__
from moor.cli.context import Context
from moor.errors.base import ExitCode, UsageError
from moor.errors.upgrade import UpgradeByHand, UpgradeFailed, UpgradeWaits
from moor.run.installation import Installation, answer, this_installation

_SECRETS: Final = ("DATABRICKS_", "ARM_", "ANTHROPIC_", "OPENAI_", "GEMINI_", "GOOGLE_", "MOOR_", "AWS_")
_ASK_TIMEOUT_S: Final = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `moor upgrade`."""
    parser.add_argument("--check", action="store_true", help="say whether there is a newer one, and change nothing")
    parser.add_argument("--from", dest="wheel", metavar="WHEEL", help="this file instead of what the index has")
    parser.add_argument("--yes", action="store_true", help="also while sessions run")
    parser.add_argument("--json", action="store_true", help="with --check: one JSON object on stdout")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Refused inside of a session. Exit code 1 where the installer fails; this moor then still stands."""
    found = this_installation(ctx.environ)
    if args.check:
        return _check(args, ctx, found)
    from moor.cli.inside import refuse_inside

    refuse_inside(ctx, "moor upgrade")
    command = _command(args, ctx, found)
    _mind_sessions(args, ctx)
    ctx.out.say(f"moor {__version__}, installed with {found.kind} in {found.place}")
    ctx.out.say("$ " + " ".join(command))
    # nothing of ours is loaded from disk after this line: the files are other ones then
    now = _upgraded(command, _environ(ctx))
    ctx.out.result(
        f"moor {__version__} is still the newest" if now == __version__ else f"moor {now}, was {__version__}"
    )
    if now != __version__:
        ctx.out.say("what it was tested with: moor agents upgrade")
    return int(ExitCode.OK)


def _check(args: argparse.Namespace, ctx: Context, found: Installation) -> int:
    newer = _ask(found, ctx) if found.upgrade else ""
    command = " ".join(found.upgrade) or found.by_hand
    if args.json:
        ctx.out.json({"version": __version__, "kind": found.kind, "newer": newer or None, "command": command})
    elif newer:
        ctx.out.result(f"moor {newer} is there; this is {__version__}: moor upgrade")
    elif found.upgrade:
        ctx.out.result(f"moor {__version__} is the newest that the index has")
    else:
        ctx.out.result(f"moor {__version__}, installed with {found.kind} in {found.place}; by hand: {command}")
    return int(ExitCode.OK)


def _ask(found: Installation, ctx: Context) -> str:
    try:
        done = subprocess.run(
            found.ask, env=_environ(ctx), stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
            errors="replace", timeout=_ASK_TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpgradeFailed(command=found.ask, problem=f"the index could not be asked: {error}") from error
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-4:])
        raise UpgradeFailed(command=found.ask, problem="the index could not be asked", context=said)
    newer = answer(done.stdout, done.stderr)
    return "" if newer == __version__ else newer


def _command(args: argparse.Namespace, ctx: Context, found: Installation) -> tuple[str, ...]:
    if args.wheel is None:
        if not found.upgrade:
            raise UpgradeByHand(kind=found.kind, place=found.place, file=found.file, command=found.by_hand)
        return found.upgrade
    path = ctx.cwd / Path(args.wheel).expanduser()
    if not path.is_file() or path.suffix != ".whl":
        raise UsageError(f"{path} is no wheel", hint="moor upgrade --from moorage-….whl")
    if not found.from_file:
        raise UpgradeByHand(kind=found.kind, place=found.place, file=found.file, command=found.by_hand)
    return (*found.from_file, str(path))


def _mind_sessions(args: argparse.Namespace, ctx: Context) -> None:
    """A gateway that runs loads parts of moor when it first needs them: they would be those of another version."""
    from moor.cli.sessions import seen_sessions

    running = [seen.session.id for seen in seen_sessions(ctx.home, ctx.clock)]
    if running and not args.yes:
        raise UpgradeWaits(sessions=tuple(running))
    if running:
        ctx.out.warn(f"{len(running)} sessions run on the moor that is replaced; end them soon: {', '.join(running)}")


def _upgraded(command: Sequence[str], environ: dict[str, str]) -> str:
    """Run the installer, its words on stderr; the version that is there afterwards."""
    try:
        code = subprocess.call(command, env=environ, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno())
    except OSError as error:
        raise UpgradeFailed(command=command, problem=f"{command[0]}: {error.strerror}") from error
    if code:
        raise UpgradeFailed(command=command, problem=f"the installer ended with {code}; its lines above say why")
    argv = [sys.executable, "-P", "-c", "import moor, moor.cli.main; print(moor.__version__)"]
    try:
        said = subprocess.check_output(argv, env=environ, stdin=subprocess.DEVNULL, encoding="utf-8", timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise UpgradeFailed(
            command=command, problem=f"the new moor does not start; go back to {__version__} with the installer"
        ) from error
    return said.strip()


def _environ(ctx: Context) -> dict[str, str]:
    """The user's own (mirrors, proxies, certificates), without credentials."""
    return {name: value for name, value in ctx.environ.items() if not name.startswith(_SECRETS)}
