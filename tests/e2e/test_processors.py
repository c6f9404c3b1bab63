import pytest

from tests.helpers.processors import ALL_AT_ONCE, IS_X86, OF_X86, beliefs_of, differing, figures_of


@pytest.mark.slow
@pytest.mark.skipif(not IS_X86, reason=OF_X86)
def test_search__has_the_same_figures_on_another_processor(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    here = figures_of(tmp_path / "here", {"OMP_NUM_THREADS": "1"}, 400)
    there = figures_of(tmp_path / "there", ALL_AT_ONCE, 400)
    assert len(here) >= 5
    assert differing(here, there) == []


@pytest.mark.slow
@pytest.mark.skipif(not IS_X86, reason=OF_X86)
def test_beliefs__have_the_same_bits_on_another_processor():
    here = beliefs_of({})
    assert len(here) > 3 * 5 * 720 * 16
    assert beliefs_of(ALL_AT_ONCE) == here


def test_comparison__names_what_differs():
    assert differing({"a": b"1", "b": [{"x": "1"}]}, {"a": b"1", "b": [{"x": "2"}], "c": b""}) == ["b", "c"]
