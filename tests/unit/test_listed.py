"""Lists in one word, whose entries may hold what stands between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cageflow.listed import quoted, split_list, split_weighted


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("a", [("a", None)]),
        ("a=2, b = 1", [("a", "2"), ("b", "1")]),
        ("x/a=b.safetensors=1", [("x/a=b.safetensors", "1")]),
        ('"x,1/a=b"=2,b=1', [("x,1/a=b", "2"), ("b", "1")]),
        ('"say ""a"""=1', [('say "a"', "1")]),
        ('5" disk=1', [('5" disk', "1")]),
        ("a=1,", [("a", "1"), ("", None)]),
        ("", [("", None)]),
        ("=1", [("", "1")]),
        ("a,b", [("a", None), ("b", None)]),
    ],
)
def test_weighted__are_read_as_they_stand(text: str, entries: list[tuple[str, str | None]]) -> None:
    assert split_weighted(text) == entries


def test_list__keeps_what_is_quoted_together() -> None:
    assert split_list('bline, "runs/a,b/p=1.safetensors" ,c.py:Red') == [
        "bline",
        "runs/a,b/p=1.safetensors",
        "c.py:Red",
    ]
    assert split_list("a=b,c") == ["a=b", "c"]
    assert split_list("a,,b,") == ["a", "", "b", ""]


NAMES = st.text(st.sampled_from('a,=" \n'), min_size=1)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_quoted_names__come_back(names: list[str]) -> None:
    assert split_list(",".join(map(quoted, names))) == names
    assert split_weighted(",".join(f"{quoted(name)}=0.5" for name in names)) == [(name, "0.5") for name in names]


def test_name__is_left_alone_where_nothing_in_it_is_read_otherwise() -> None:
    assert quoted("runs/1 b/policy.safetensors") == "runs/1 b/policy.safetensors"
