"""Names in Markdown."""

import pytest

from cageflow.markdown import code, plain


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a|b", r"a\|b"),
        ("<b>", r"\<b>"),
        ("&amp;", r"\&amp;"),
        ("*a*", r"\*a\*"),
        ("_a_b_", r"\_a_b\_"),
        ("[x](y)", r"\[x\](y)"),
        ("`", r"\`"),
        ("$x$", r"\$x\$"),
        ("\\", r"\\"),
        ("User 1", "User 1"),
    ],
)
def test_plain__is_shown_as_it_is(text: str, written: str) -> None:
    assert plain(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [("User1", "`User1`"), ("`x`", "`` `x` ``"), ("a``b", "```a``b```"), ("a|b", r"`a\|b`"), ("a`b", "``a`b``")],
)
def test_code__has_more_backticks_than_stand_in_it(text: str, written: str) -> None:
    assert code(text) == written
