import random
import sys

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from cageflow.envs.cyborg import CyborgEnv, cyborg_rules, import_cyborg
from cageflow.errors import UserError
from cageflow.scenario import default_network

NETWORK = default_network()
CODEC = NETWORK.codec


@pytest.fixture
def broken_cyborg(tmp_path, monkeypatch):
    """A folder that looks like CybORG and cannot be imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "CybORG"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", list(sys.path))
    package = tmp_path / "CybORG" / "CybORG"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import a_library_that_nobody_has\n")
    (package / "CybORG.py").touch()
    yield tmp_path
    sys.modules.pop("CybORG", None)


def test_import_cyborg__without_a_folder_says_where_it_is_published():
    with pytest.raises(UserError, match=r"No folder of CybORG is given; clone cage-challenge/cage-challenge-2"):
        import_cyborg(None)


@pytest.mark.parametrize("name", [".", "nothing/here"])
def test_import_cyborg__a_folder_without_it_is_named(tmp_path, name):
    with pytest.raises(UserError, match=r"holds no CybORG; clone .* --cyborg-path") as caught:
        import_cyborg(tmp_path / name)
    assert str(tmp_path) in str(caught.value)


def test_import_cyborg__a_folder_inside_the_package_is_refused(broken_cyborg):
    inside = broken_cyborg / "CybORG" / "CybORG" / "Shared"
    inside.mkdir()
    with pytest.raises(UserError, match="holds no CybORG"):
        import_cyborg(inside)


@pytest.mark.parametrize("folder", [".", "CybORG", "CybORG/CybORG"])
def test_import_cyborg__missing_dependencies_are_named_with_the_extra(broken_cyborg, folder):
    path_before = list(sys.path)
    with pytest.raises(UserError, match=r'a_library_that_nobody_has.*pip install "cageflow\[cyborg\]"'):
        import_cyborg(broken_cyborg / folder)
    assert sys.path == path_before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"red_agent": "BlueAgent"}, "'BlueAgent' is no red agent; possible are B_lineAgent"),
        ({"observation": "true"}, "observation is 'true'; possible are corrected, official"),
        ({"max_steps": 0}, "max_steps is 0"),
    ],
)
def test_cyborg_env__impossible_arguments_are_refused_before_anything_is_imported(tmp_path, arguments, message):
    with pytest.raises(UserError, match=message):
        CyborgEnv(tmp_path, **arguments)


@pytest.mark.cyborg
def test_import_cyborg__another_checkout_in_the_same_process_is_refused(cyborg_path, broken_cyborg, monkeypatch):
    import_cyborg(cyborg_path)
    with pytest.raises(UserError, match="is in use from .*; start another process"):
        import_cyborg(broken_cyborg)


@pytest.mark.cyborg
def test_cyborg_rules__says_one_of_the_two(cyborg_path):
    assert cyborg_rules(cyborg_path) in ("v2.1", "challenge")


@pytest.mark.cyborg
def test_cyborg_rules__a_checkout_with_one_of_the_two_fixes_is_refused(cyborg_path, monkeypatch):
    import_cyborg(cyborg_path)
    version = sys.modules["CybORG.Shared.Enums"].ProcessVersion
    other = "a version" if cyborg_rules(cyborg_path) == "challenge" else version.UNKNOWN
    monkeypatch.setattr(version, "parse_string", lambda text: other)
    with pytest.raises(UserError, match="plays neither the rules v2.1 nor challenge"):
        cyborg_rules(cyborg_path)


@pytest.mark.cyborg
@pytest.mark.parametrize("observation", ["corrected", "official"])
def test_cyborg_env__passes_gymnasiums_checker(cyborg_path, observation):
    check_env(CyborgEnv(cyborg_path, observation=observation), skip_render_check=True)


@pytest.mark.cyborg
def test_reset__red_holds_user0_and_nothing_else(cyborg_path):
    env = CyborgEnv(cyborg_path)
    observation, _ = env.reset(seed=1)
    state = env.true_state()
    assert not observation.any()
    assert not state.user_sessions.any() and not state.decoys.any() and state.ot_running
    np.testing.assert_array_equal(state.privileged_sessions, [host == "User0" for host in NETWORK.hosts])


@pytest.mark.cyborg
def test_step__the_same_seed_plays_the_same_episode_and_ends_by_truncation(cyborg_path):
    def play(seed: int) -> tuple[list[float], list[bytes]]:
        env = CyborgEnv(cyborg_path, max_steps=15, green=True)
        env.reset(seed=seed)
        rewards, states = [], []
        for step in range(15):
            _, reward, terminated, truncated, _ = env.step(1)
            assert not terminated and truncated == (step == 14)
            rewards.append(reward)
            states.append(env.true_state().user_sessions.tobytes() + env.official_observation.tobytes())
        return rewards, states

    assert play(3) == play(3)
    assert play(3) != play(4)


@pytest.mark.cyborg
def test_step__a_decoy_stands_in_the_true_state_until_its_host_is_restored(cyborg_path):
    env = CyborgEnv(cyborg_path, red_agent="SleepAgent")
    env.reset(seed=1)
    host = NETWORK.hosts.index("Enterprise0")
    env.step(CODEC.encode("DecoyTomcat Enterprise0"))
    env.step(CODEC.encode("DecoyVsftpd Enterprise0"))
    planted = [NETWORK.decoys.index("tomcat"), NETWORK.decoys.index("vsftpd")]
    assert env.true_state().decoys[host] == sum(1 << decoy for decoy in planted)
    _, reward, *_ = env.step(CODEC.encode("Restore Enterprise0"))
    assert not env.true_state().decoys.any()
    assert reward == -1.0


@pytest.mark.cyborg
def test_step__the_two_observations_differ_only_where_a_decoy_hides_a_scan(cyborg_path):
    env = CyborgEnv(cyborg_path, red_agent="RedMeanderAgent", max_steps=100)
    rng = random.Random(0)
    num_different = 0
    for episode in range(6):
        env.reset(seed=episode)
        for _ in range(100):
            action = rng.choice(np.flatnonzero(CODEC.decoy >= 0))
            corrected, *_ = env.step(action)
            different = corrected != env.official_observation
            if different.any():
                num_different += 1
                bit = 4 * CODEC.host[action]
                np.testing.assert_array_equal(np.flatnonzero(different), [bit])
                assert corrected[bit] == 1
    assert num_different > 0


@pytest.mark.cyborg
def test_step__outside_an_episode_and_out_of_range_is_refused(cyborg_path):
    env = CyborgEnv(cyborg_path, red_agent="sleep", max_steps=1)
    with pytest.raises(UserError, match="no episode is under way"):
        env.step(0)
    with pytest.raises(UserError, match="seed is -1; expected a whole number from 0"):
        env.reset(seed=-1)
    env.reset(seed=1)
    with pytest.raises(UserError, match="145 is no action; possible are 0 to 144"):
        env.step(145)
    env.step(0)
    with pytest.raises(UserError, match="no episode is under way"):
        env.step(0)
