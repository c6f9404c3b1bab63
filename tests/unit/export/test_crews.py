"""What is under way, and decoys that share an action, inside an exported model: as the simulator's rules have them."""

import numpy as np
import pytest

from cageflow.envs.options import GameOptions
from cageflow.export import model as model_module
from cageflow.scenario import load_network
from cageflow.scenario.schema import Durations, HostDurations
from cageflow.scenario.writing import network_text
from tests.helpers.onnx_files import first_difference, shifted, spoiled

SLOW = "2,3,5,2"


@pytest.fixture(scope="module")
def crew_file(tmp_path_factory):
    """CAGE-1 with three crews, two hosts with durations of their own, and decoys that share an action."""
    scenario = load_network("cage1").scenario
    own = {"User1": HostDurations(restore=2, decoy=5), "Op_Server0": HostDurations(analyse=1, remove=7)}
    hosts = {
        name: host.model_copy(update={"durations": own.get(name, HostDurations())})
        for name, host in scenario.hosts.items()
    }
    slow = Durations(analyse=2, remove=3, restore=5, decoy=2)
    changed = scenario.model_copy(update={"hosts": hosts, "durations": slow, "crews": 3})
    path = tmp_path_factory.mktemp("networks") / "crews.yaml"
    path.write_text(network_text(changed))
    return path


GAMES = [{}, {"observation": "official"}, {"green": True}, {"observation": "official", "green": True}]


@pytest.mark.parametrize("settings", GAMES, ids=str)
@pytest.mark.parametrize("network", [{"durations": SLOW}, {"scenario": "cage1"}, {"scenario": "crews"}], ids=str)
def test_model__knows_and_remembers_what_the_simulator_s_rules_do(crew_file, network, settings):
    if network.get("scenario") == "crews":
        network = {"scenario": crew_file}
    assert first_difference(GameOptions("meander", **network, **settings)) is None


@pytest.mark.parametrize(
    "name",
    [
        *("action_steps", "needs_crew", "crews", "asleep"),
        *("restores", "decoy_hosts", "decoy_fits", "decoy_rivals"),
        *("useful_always", "is_sleep", "facts_of_actions"),
        *("kinds_under_way", "steps_left", "acts_on", "kinds"),
    ],
)
def test_spoiled_constant__is_found(crew_file, name):
    def spoil(model):
        spoiled(model, name, lambda array: shifted(array) if array.ndim else array + 1)

    assert first_difference(GameOptions("meander", scenario=crew_file), spoil) is not None


@pytest.mark.parametrize(("name", "place"), [("decoy_sets", (slice(None), 0)), ("decoys_of_groups", slice(1, None))])
def test_decoy_of_a_shared_action_that_is_left_out__is_found(name, place):
    def leave_out(array):
        array[place] = 0.0

    options = GameOptions("meander", scenario="cage1")
    assert first_difference(options, lambda model: spoiled(model, name, leave_out)) is not None


@pytest.mark.parametrize(
    ("first", "second"), [("Restore User2", "Misinform User2"), ("Misinform User1", "Restore User1")]
)
def test_two_that_end_in_the_same_step__take_effect_in_the_order_of_their_beginning(
    crew_file, monkeypatch, first, second
):
    options = GameOptions("meander", scenario=crew_file)
    encode = options.network.codec.encode
    script = np.array([[encode(name)] * 4 for name in (first, "Sleep", "Sleep", second, *["Sleep"] * 6)])
    assert first_difference(options, num_games=4, num_steps=10, actions=script) is None
    forwards = model_module.add_crews

    def backwards(*args):
        acting = forwards(*args)
        return acting._replace(done=acting.done[::-1])

    monkeypatch.setattr(model_module, "add_crews", backwards)
    step, _ = first_difference(options, num_games=4, num_steps=10, actions=script)
    assert step == 5
