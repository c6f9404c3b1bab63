"""The rungs of trainings: as they are given, and as they follow from the length of a training."""

import pytest

from cageflow.errors import UserError
from cageflow.settings.ladder import ladder, read_rungs
from cageflow.settings.reading import make_config


@pytest.mark.parametrize("given", ["750,1500, 6000", [750, 1500, 6000], (750, 1500.0, "6000")])
def test_rungs__are_read_from_text_and_lists(given):
    assert read_rungs(given) == (750, 1500, 6000)


@pytest.mark.parametrize("given", ["", "a,b", "0,5", "5,5", "9,5", "-5", "1.5", [1.5], [True], [], "1," * 101])
def test_what_are_no_rungs__is_refused(given):
    with pytest.raises(UserError, match="expected numbers of episodes that ascend"):
        read_rungs(given)


def test_ladder__is_of_whole_updates_below_the_end():
    assert ladder(6000, 50, None) == (750, 1500, 3000, 6000)
    assert ladder(6000, 200, None) == (800, 1600, 3000, 6000)
    assert ladder(110, 100, None) == (100, 110)
    assert ladder(8, 8, None) == (8,)
    assert ladder(1000, 100, (150, 999, 1000)) == (200, 1000)
    assert ladder(1000, 100, (1000,)) == (1000,)


def test_landscape__has_the_rungs_that_it_is_given_and_trains_to_the_last():
    config = make_config({"command": "landscape", "rungs": [100, 400], "episodes_per_update": 100})
    assert (config.rungs, config.ladder, config.max_episodes_per_workflow) == ("100,400", (100, 400), 400)
    assert config.total_episodes == 120 * 400
    assert make_config(config.to_json()) == config
    assert make_config({"command": "landscape", "max_episodes_per_workflow": 400, "rungs": 400}).ladder == (400,)
    with pytest.raises(UserError, match="max_episodes_per_workflow is 500, but the last of rungs sets it to 400"):
        make_config({"command": "landscape", "rungs": "100,400", "max_episodes_per_workflow": 500})


def test_rungs__that_are_none_name_the_setting():
    with pytest.raises(UserError, match="^rungs is '9,5': expected numbers of episodes that ascend"):
        make_config({"command": "landscape", "rungs": "9,5"})
