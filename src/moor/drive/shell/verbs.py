"""Programs by what they do: tables, and the few whose arguments decide.

A rule returns one clause that says why the command is not run, or None. Arguments are strings; `None` is one whose
value is not known before it runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

Args = Sequence[str | None]
Rule = Callable[[Args], str | None]

ROOT: Final = "it acts with other rights than yours"
MACHINE: Final = "it acts on the whole machine"
INSTALLS: Final = "it installs for more than this project"
PUBLISHES: Final = "it changes something on another machine"
LOSES: Final = "it throws work away that cannot be brought back"

NEVER: Final = {
    **dict.fromkeys(("sudo", "su", "doas", "pkexec", "runuser", "chroot", "nsenter", "visudo"), ROOT),
    **dict.fromkeys(("shutdown", "reboot", "halt", "poweroff", "init", "telinit", "systemctl", "service"), MACHINE),
    **dict.fromkeys(
        ("launchctl", "crontab", "at", "batch", "mount", "umount", "swapoff", "swapon", "sysctl"), MACHINE
    ),
    **dict.fromkeys(("fdisk", "parted", "sgdisk", "wipefs", "diskutil", "hdiutil", "losetup", "cryptsetup"), MACHINE),
    **dict.fromkeys(("modprobe", "insmod", "rmmod", "iptables", "nft", "ufw", "nvram", "kexec", "tmutil"), MACHINE),
    **dict.fromkeys(("useradd", "userdel", "usermod", "groupadd", "groupdel", "passwd", "chsh", "dscl"), MACHINE),
    **dict.fromkeys(("pkill", "killall", "killall5", "skill"), "it ends programs that are not its own"),
    **dict.fromkeys(("shred", "srm"), LOSES),
    **dict.fromkeys(("ssh", "scp", "sftp", "telnet", "mosh"), "it reaches another machine"),
    **dict.fromkeys(("pipx", "rustup", "snap", "flatpak", "nix-env", "softwareupdate", "mas"), INSTALLS),
}

WRITERS: Final = frozenset(
    {"rm", "rmdir", "mv", "mkdir", "touch", "tee", "truncate", "unlink", "chmod", "chown", "chgrp", "patch", "mkfifo"}
    | {"unzip", "tar", "7z", "gunzip", "gzip", "bzip2", "xz", "zip", "split", "csplit", "chattr", "setfacl", "mknod"}
)
"""every path they are given may be changed"""
COPIERS: Final = frozenset({"cp", "install", "ln", "rsync"})
"""their last path is changed, the others are read"""
OUTPUT_FLAGS: Final = {
    "curl": ("-o", "--output", "--output-dir"),
    "wget": ("-O", "--output-document", "-P", "--directory-prefix"),
    "sort": ("-o", "--output"),
    **dict.fromkeys(
        ("gcc", "g++", "cc", "c++", "clang", "clang++", "ld", "rustc", "go", "pandoc"), ("-o", "--output")
    ),
}
INLINE: Final = {
    **dict.fromkeys(("python", "python3", "python2", "pypy", "pypy3"), ("-c",)),
    **dict.fromkeys(("node", "nodejs", "bun", "deno"), ("-e", "--eval", "-p", "--print")),
    **dict.fromkeys(("perl", "ruby"), ("-e", "-E")),
    "php": ("-r",),
}
"""interpreters and the flags behind which code stands"""
SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "fish"})
PREFIXES: Final = {
    "env": 0, "command": 0, "builtin": 0, "nohup": 0, "nice": 0, "time": 0, "stdbuf": 0, "setsid": 0, "exec": 0,
    "ionice": 0, "timeout": 1, "gtimeout": 1, "xargs": 0, "parallel": 0, "watch": 0, "unbuffer": 0, "caffeinate": 0,
}  # fmt: skip
"""programs that run the program behind them, and how many plain words of their own come first"""
PREFIX_VALUES: Final = frozenset(
    {
        "-n",
        "-u",
        "-C",
        "-k",
        "-s",
        "-I",
        "-P",
        "-L",
        "-d",
        "-i",
        "-o",
        "-e",
        "-j",
        "--signal",
        "--kill-after",
        "--unset",
    }
)
"""their options that take the next word"""

_SYSTEM_PACKAGES: Final = frozenset(
    {"apt", "apt-get", "aptitude", "dnf", "yum", "zypper", "apk", "brew", "port", "gem"}
)
_CHANGING: Final = frozenset(
    {"install", "remove", "purge", "upgrade", "update", "dist-upgrade", "full-upgrade", "autoremove", "add", "del"}
    | {"uninstall", "reinstall", "link", "unlink", "tap", "cask", "in", "rm", "up", "dup", "delete"}
)
_SAFE_GH: Final = frozenset({"view", "list", "status", "diff", "checks", "help", "version", "--version", "watch"})


def plain(args: Args) -> list[str]:
    """The words that are no options and are known."""
    return [arg for arg in args if arg is not None and not arg.startswith("-")]


def has(args: Args, *flags: str) -> bool:
    """Whether one of the flags is given; one-letter flags are found in clusters too."""
    letters = {flag[1] for flag in flags if len(flag) == 2}
    for arg in args:
        if arg is None or not arg.startswith("-"):
            continue
        if arg.partition("=")[0] in flags or (not arg.startswith("--") and letters & set(arg[1:])):
            return True
    return False


def git(args: Args) -> str | None:
    """`git`, by its sub-command."""
    rest = _git_command(args)
    if not rest or rest[0] is None:
        return None
    name, tail = rest[0], rest[1:]
    if name == "push":
        return PUBLISHES
    if name == "config" and has(tail, "--global", "--system"):
        return MACHINE
    return LOSES if _git_loses(name, tail) else None


def _git_command(args: Args) -> Args:
    at = 0
    while at < len(args) and (args[at] or "").startswith("-"):
        at += 2 if args[at] in ("-C", "-c", "--git-dir", "--work-tree", "--namespace") else 1
    return args[at:]


def _git_loses(name: str, tail: Args) -> bool:
    words = plain(tail)
    checks: dict[str, bool] = {
        "reset": has(tail, "--hard", "--merge", "--keep"),
        "clean": has(tail, "-f", "--force") and not has(tail, "-n", "--dry-run"),
        "checkout": "--" in tail or "." in words or has(tail, "-f", "--force"),
        "switch": has(tail, "--discard-changes", "-f", "--force"),
        "restore": not has(tail, "--staged", "-S") or has(tail, "--worktree", "-W"),
        "branch": has(tail, "-D") or (has(tail, "--delete", "-d") and has(tail, "--force", "-f")),
        "stash": bool(words) and words[0] in ("drop", "clear"),
        "reflog": bool(words) and words[0] in ("expire", "delete"),
        "update-ref": has(tail, "-d"),
        "gc": has(tail, "--prune", "--aggressive"),
        "worktree": "remove" in words and has(tail, "--force", "-f"),
    }
    return name in ("filter-branch", "filter-repo") or checks.get(name, False)


def npm(args: Args) -> str | None:
    """npm, pnpm, yarn, bun."""
    words = plain(args)
    if has(args, "-g", "--global") or "--location=global" in args or words[:1] == ["global"]:
        return INSTALLS
    if words[:1] and words[0] in ("publish", "unpublish", "deprecate", "login", "adduser", "owner"):
        return PUBLISHES
    return MACHINE if words[:2] == ["config", "set"] else None


def system_packages(args: Args) -> str | None:
    """apt, brew and their like."""
    return INSTALLS if any(word in _CHANGING for word in plain(args)[:2]) else None


def pacman(args: Args) -> str | None:
    """Upper-case letters of pacman change the machine, but for queries."""
    return INSTALLS if any(re.match(r"-[SRUD]", arg or "") for arg in args) else None


def dpkg(args: Args) -> str | None:
    """dpkg and rpm."""
    return INSTALLS if has(args, "-i", "-r", "-P", "-U", "-e", "--install", "--remove", "--purge") else None


def uv(args: Args) -> str | None:
    """uv: tools and interpreters are for the whole user."""
    words = plain(args)
    changes = words[:2] in (["tool", "install"], ["tool", "uninstall"], ["python", "install"], ["self", "update"])
    return INSTALLS if changes or has(args, "--system") else None


def install_subcommand(args: Args) -> str | None:
    """cargo, go, gem and others: `install` puts programs into the user's own folders."""
    inside = has(args, "--root", "--prefix", "--path", "-p")
    return INSTALLS if plain(args)[:1] in (["install"], ["uninstall"]) and not inside else None


def make(args: Args) -> str | None:
    """make and ninja: the target `install`."""
    staged = any((arg or "").startswith(("DESTDIR=", "PREFIX=", "prefix=")) for arg in args)
    return INSTALLS if "install" in args and not staged else None


def kill(args: Args) -> str | None:
    """kill: its own jobs only."""
    words = [arg for arg in args if arg is None or not arg.startswith("-")]
    own = all(word is not None and word.startswith("%") for word in words)
    return None if own or has(args, "-l", "-0") else "it ends programs that may not be its own"


def gh(args: Args) -> str | None:
    """The GitHub CLI: reading only."""
    words = plain(args)
    return None if len(words) < 2 or words[1] in _SAFE_GH or words[0] in _SAFE_GH else PUBLISHES


def container(args: Args) -> str | None:
    """docker and podman: nothing with the machine's own rights."""
    if has(args, "--privileged", "--pid", "--ipc") or "prune" in args:
        return ROOT
    return None


RULES: Final[dict[str, Rule]] = {
    "git": git,
    **dict.fromkeys(("npm", "pnpm", "yarn", "bun"), npm),
    **dict.fromkeys(_SYSTEM_PACKAGES, system_packages),
    "pacman": pacman,
    **dict.fromkeys(("dpkg", "rpm"), dpkg),
    "uv": uv,
    **dict.fromkeys(("cargo", "go", "conda", "mamba", "nvm", "pyenv", "asdf", "volta", "sdk"), install_subcommand),
    **dict.fromkeys(("make", "gmake", "ninja"), make),
    "kill": kill,
    "gh": gh,
    **dict.fromkeys(("docker", "podman", "nerdctl"), container),
}
