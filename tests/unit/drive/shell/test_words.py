from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moor.drive.shell.commands import commands
from moor.drive.shell.words import Operator, Redirect, Substitution, Unreadable, Variable, Word, tokens


def literals(text: str) -> list[str | None]:
    return [token.literal for token in tokens(text) if isinstance(token, Word)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo a b", ["echo", "a", "b"]),
        ("echo 'a b' \"c d\"", ["echo", "a b", "c d"]),
        (r"r\m -r\f x\ y", ["rm", "-rf", "x y"]),
        ("'r'm \"-\"rf", ["rm", "-rf"]),
        ("a\\\nb", ["ab"]),
        ("echo # rm -rf /", ["echo"]),
        ("echo a#b", ["echo", "a#b"]),
        ("echo $'a\\tb\\''", ["echo", "a\tb'"]),
        ('echo "a\\"b\\n"', ["echo", 'a"b\\n']),
        ("echo $((1+2))", ["echo", "0"]),
    ],
)
def test_quoting_is_read_as_a_shell_reads_it(text: str, words: list[str]) -> None:
    assert literals(text) == words


def test_what_expands_is_not_taken_for_its_characters() -> None:
    for text in ("$HOME/x", "${A:-b}", "$(pwd)", "`pwd`", "*.py", '"$x"', "<(ls)", "{a,b}"):
        assert literals(text) == [None]


def test_operators_and_redirections_are_told_apart() -> None:
    found = tokens("a 2>&1 >f | b && c || d; e & f >| g &> h")
    assert [token.text for token in found if isinstance(token, Operator)] == ["|", "&&", "||", ";", "&"]
    assert [token.text for token in found if isinstance(token, Redirect)] == [">&", ">", ">|", "&>"]


def test_a_descriptor_is_part_of_the_redirection_only_when_it_touches_it() -> None:
    assert literals("echo 2 > f") == ["echo", "2", "f"]
    assert literals("echo 2> f") == ["echo", "f"]


def test_a_here_document_belongs_to_its_redirection() -> None:
    found = tokens("cat <<EOF > f\nrm -rf /\nEOF\nls")
    heredoc = next(token for token in found if isinstance(token, Redirect) and token.text == "<<")
    assert heredoc.body == "rm -rf /"
    assert [token.literal for token in found if isinstance(token, Word)] == ["cat", "EOF", "f", "ls"]


def test_parts_keep_what_is_inside() -> None:
    word = next(token for token in tokens('x"$(echo "a)b")$y"') if isinstance(token, Word))
    assert Substitution('echo "a)b"') in word.parts
    assert Variable("y") in word.parts


@pytest.mark.parametrize(
    "text", ["'a", '"a', "`a", "$(a", "${a", "$((1", "cat <<EOF\nx", "cat <<", "a )", "(a", "f() { x; }"]
)
def test_what_ends_in_the_middle_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        commands(text)


@given(st.text(alphabet="ab '\"\\$(){}`<>|&;#\n=*~", max_size=40))
@example("$((")
@example("<<a\n")
def test_any_text_is_read_or_unreadable_and_nothing_else(text: str) -> None:
    try:
        commands(text)
    except Unreadable:
        return


@given(st.lists(st.text(min_size=1, max_size=8).filter(lambda word: "\0" not in word), min_size=1, max_size=5))
def test_words_quoted_for_the_shell_come_back(words: list[str]) -> None:
    import shlex

    assert literals(" ".join(shlex.quote(word) for word in words)) == words
