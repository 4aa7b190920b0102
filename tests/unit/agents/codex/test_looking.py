from __future__ import annotations

import pytest

from moor.agents.codex.looking import files_looked_at, script_of


@pytest.mark.parametrize(
    ("script", "files"),
    [
        ("cat a.txt", ("a.txt",)),
        ("cat a.txt | head -5", ("a.txt", "-5")),
        ("sed -n '1,20p' src/x.py", ("src/x.py",)),
        ("sed -n '3,$p' x", ("x",)),
        ("rg 'def [a-z]*' src", ("def [a-z]*", "src")),
        ('grep -n "two words" a b', ("-n", "two words", "a", "b")),
        ("ls", ()),
        ("ls -la && cat /etc/passwd", ("-la", "/etc/passwd")),
        ("cat -- --file=/x", ("--", "/x")),
    ],
)
def test_lines_that_only_look_name_their_files(script: str, files: tuple[str, ...]) -> None:
    assert files_looked_at(script) == files


@pytest.mark.parametrize(
    "script",
    [
        "",
        "touch x",
        "cat a > b",
        "cat $(touch x)",
        "cat `touch x`",
        "cat a & touch b",
        "cat a\ntouch b",
        "cat <(touch x)",
    ]
    + [
        "cat $HOME/x",
        "cat ~/x",
        "cat *",
        "cat {a,b}",
        "sed -n '1w x' y",
        "sed -i s/a/b/ x",
        "sed -n 1p -i x",
        "(cat a)",
    ]
    + [
        "sed -n 1p --in-pl x",
        "rg --pre ./x y",
        "rg --pre=./x y",
        "rg -z y",
        "rg -nz y",
        "X=1 cat a",
        "cat a; touch b",
    ]
    + [
        "cat a || touch b",
        'cat "a\'b" $(touch x) "c\'d"',
        "find . -delete",
        "cat 'a",
        "/tmp/cat a",
        "cat a \\\ntouch b",
    ],
)
def test_whatever_may_do_more_is_not_taken_for_a_look(script: str) -> None:
    assert files_looked_at(script) is None


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("/bin/bash -lc 'cat a | wc -l'", "cat a | wc -l"),
        ("zsh -c ls", "ls"),
        ("/bin/bash -lc 'it'\"'\"'s'", "it's"),
        ("python3 -c 'print(1)'", "python3 -c 'print(1)'"),
        ("bash script.sh", "bash script.sh"),
        ("broken 'quote", "broken 'quote"),
    ],
)
def test_the_script_is_found_in_what_the_shell_is_given(command: str, script: str) -> None:
    assert script_of(command) == script
