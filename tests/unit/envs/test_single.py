"""The single environment: the checkers' rules, what it refuses, what it tells of itself."""

import copy
import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import cageflow  # noqa: F401 - registers the environment
from cageflow.envs.single import Cage2Env
from cageflow.errors import UserError
from cageflow.sim.enums import Outcome

ENV_ID = "cageflow/Cage2-v0"


@pytest.mark.parametrize("red_agent", ["bline", "meander", "sleep"])
def test_gymnasiums_checker__has_nothing_to_say(red_agent):
    env = gym.make(ENV_ID, red_agent=red_agent, green=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_stable_baselines3s_checker__has_nothing_to_say():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about Gym, which it imports where that is installed
        checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check_env(gym.make(ENV_ID).unwrapped)


def test_make__takes_the_options_of_the_game():
    env = gym.make(ENV_ID, red_agent="meander", rules="challenge", observation="official", max_steps=7, green=True)
    options = env.unwrapped.options
    assert (options.red_agent, options.rules, options.observation) == ("RedMeanderAgent", "challenge", "official")
    assert (options.max_steps, options.green, options.scenario) == (7, True, None)


def test_make__refuses_what_is_not_possible_in_a_sentence():
    with pytest.raises(UserError, match="'x' is no red agent; possible are B_lineAgent"):
        gym.make(ENV_ID, red_agent="x")


def test_copy__goes_on_by_itself():
    env = Cage2Env(red_agent="meander", green=True)
    env.reset(seed=0)
    for _ in range(10):
        env.step(0)
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        before = env.true_state()
        futures = [[step(0)[:2] for _ in range(20)] for step in (other.step, copy.deepcopy(env).step)]
        np.testing.assert_equal(*futures)
        assert env.true_state() == before and other.true_state() != before


def test_spaces__are_those_of_the_original():
    env = Cage2Env()
    assert env.action_space == gym.spaces.Discrete(145)
    assert env.observation_space == gym.spaces.Box(0.0, 1.0, (52,), np.float32)


def test_episode__is_truncated_and_never_terminated():
    env = Cage2Env(max_steps=5)
    env.reset(seed=0)
    ends = [env.step(0)[2:4] for _ in range(5)]
    assert ends == [(False, False)] * 4 + [(False, True)]
    with pytest.raises(UserError, match="the episode is over after 5 steps"):
        env.step(0)
    env.reset()
    assert env.step(0)[2:4] == (False, False)


def test_step_before_reset__is_refused():
    with pytest.raises(UserError, match="step was called before reset"):
        Cage2Env().step(0)


@pytest.mark.parametrize("action", [-1, 145, 3.0, "Sleep", None, np.array([3]), np.float32(1)])
def test_wrong_action__is_refused_and_changes_nothing(action):
    env = Cage2Env()
    env.reset(seed=0)
    with pytest.raises(UserError, match="is no action; possible are whole numbers from 0 to 144"):
        env.step(action)
    assert env.last_step().number == 0


@pytest.mark.parametrize("action", [3, np.int64(3), np.uint8(3), np.array(3)])
def test_whole_number_of_any_type__is_an_action(action):
    env = Cage2Env()
    env.reset(seed=0)
    env.step(action)
    assert env.last_step().blue_action == env.action_names[3]


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True])
def test_wrong_seed__is_refused(seed):
    with pytest.raises(UserError, match="expected a whole number from 0"):
        Cage2Env().reset(seed=seed)


@pytest.mark.parametrize("seed", [7, np.int64(7), np.uint8(7)])
def test_seed__is_a_whole_number_of_any_type(seed):
    env, envs = gym.make(ENV_ID, red_agent="meander"), gym.make_vec(ENV_ID, 2, red_agent="meander")
    expected = Cage2Env(red_agent="meander")
    for given, of_batch in ((seed, seed), (seed, [seed, seed]), (seed, np.array([seed, seed]))):
        env.reset(seed=given), envs.reset(seed=of_batch), expected.reset(seed=7)
        for _ in range(20):
            observation = expected.step(0)[0]
            np.testing.assert_array_equal(env.step(0)[0], observation)
            np.testing.assert_array_equal(envs.step(np.zeros(2, np.int64))[0][0], observation)


def test_render_mode__is_refused_where_it_is_none_of_ours():
    with pytest.raises(UserError, match="possible are ansi, human, rgb_array and None"):
        Cage2Env(render_mode="svg")


def test_observations__are_new_arrays_and_infos_new_dicts():
    env = Cage2Env()
    observation, info = env.reset(seed=0)
    first, _, _, _, first_info = env.step(0)
    second, _, _, _, second_info = env.step(0)
    assert not np.shares_memory(observation, first) and not np.shares_memory(first, second)
    assert info is not first_info and first_info is not second_info


def test_info__says_what_blue_is_told_of_its_action_and_nothing_else():
    env = Cage2Env(red_agent="bline")
    assert env.reset(seed=1)[1] == {"blue_outcome": Outcome.UNKNOWN}
    outcomes = {}
    for name in ("DecoyFemitter User3", "DecoySSHD User3", "Sleep", "Restore User1"):
        info = env.step(env.codec.encode(name))[4]
        assert info.keys() == {"blue_outcome"}
        outcomes[name] = int(info["blue_outcome"])
        told = {None: Outcome.UNKNOWN, True: Outcome.TRUE, False: Outcome.FALSE}[env.last_step().blue_success]
        assert outcomes[name] == told
    assert set(outcomes.values()) == set(Outcome)


@pytest.mark.parametrize("options", [{"red_agent": "bline"}, {"reset_mask": np.ones(1, np.bool_)}, {"seed": 3}])
def test_option_of_reset__is_refused(options):
    env = Cage2Env()
    with pytest.raises(UserError, match=rf"{next(iter(options))!r} is no option of reset \(none is read there\)"):
        env.reset(options=options)
    with pytest.raises(UserError, match="expected a dict, or None"):
        env.reset(options=[1])
    env.reset(options={})


def test_rewards__are_floats_in_tenths():
    env = Cage2Env(red_agent="meander")
    env.reset(seed=0)
    rewards = [env.step(env.codec.encode("Restore User1"))[1] for _ in range(60)]
    assert all(type(reward) is float and reward == round(reward, 1) for reward in rewards)
    assert len(set(rewards)) > 3


def play_straight(env, seed=0):
    """B-line against a blue that sleeps: the service is stopped at step 15 at the latest when nothing fails."""
    env.reset(seed=seed)
    return [env.step(0)[1] for _ in range(40)]


def test_true_state__says_who_has_which_session():
    env = Cage2Env(red_agent="bline")
    env.reset(seed=0)
    truth = env.true_state()
    assert tuple(truth) == env.network.hosts
    assert truth["User0"] == {
        "access": "privileged",
        "user_sessions": 0,
        "privileged_sessions": 1,
        "decoys": [],
        "malware": False,
        "service_running": None,
    }
    assert {host for host, facts in truth.items() if facts["access"] != "none"} == {"User0"}
    assert truth["Op_Server0"]["service_running"] is True
    play_straight(env)
    truth = env.true_state()
    assert truth["Op_Server0"]["access"] == truth["Enterprise2"]["access"] == "privileged"
    assert truth["Op_Server0"]["service_running"] is False
    env.step(env.codec.encode("Restore Op_Server0"))
    env.step(env.codec.encode("DecoySSHD User3"))
    env.step(env.codec.encode("DecoyVsftpd Op_Host2"))
    truth = env.true_state()
    assert truth["Op_Server0"]["service_running"] is True
    assert (truth["User3"]["decoys"], truth["Op_Host2"]["decoys"]) == (["sshd"], ["vsftpd"])


def test_last_step__says_who_did_what():
    env = Cage2Env(red_agent="bline", green=True)
    env.reset(seed=1)
    before = env.last_step()
    assert (before.number, before.blue_action, before.red_action) == (0, "none", "none")
    reward = env.step(env.codec.encode("DecoyFemitter User3"))[1]
    last = env.last_step()
    assert (last.number, last.blue_action, last.blue_success) == (1, "DecoyFemitter User3", False)
    assert (last.red_action, last.red_success) == ("DiscoverRemoteSystems User", True)
    assert last.reward == reward
    assert env.step(0) and env.last_step().blue_success is None
    told = set()
    for _ in range(60):
        env.step(0)
        told.add(env.last_step().green_action.split()[0])
        if env.last_step().red_action.startswith("Exploit") and env.last_step().red_success:
            assert " by " in env.last_step().red_action
    assert told == {"Sleep", "GreenPortScan"}


def test_actions__have_names_and_meanings():
    env = Cage2Env()
    assert len(env.action_names) == 145
    for number, name in enumerate(env.action_names):
        assert env.codec.encode(name) == number
    assert "User1" in env.describe_action(env.codec.encode("Remove User1"))
    with pytest.raises(UserError):
        env.describe_action(145)


def test_ansi__renders_blues_table_beside_the_truth():
    env = gym.make(ENV_ID, render_mode="ansi", red_agent="bline")
    play_straight(env)
    lines = env.render().splitlines()
    assert lines[0].startswith("step 40 of 100   reward -1")
    assert lines[1] == "blue   Sleep"
    assert lines[2] == "red    Impact Op_Server0 (ok)"
    server = next(line for line in lines if line.startswith("Op_Server0"))
    assert "| privileged" in server and server.endswith("OTService STOPPED")
    bars = {line.index("|") for line in lines if "|" in line}
    assert len(bars) == 1
    assert "\n".join(lines).isascii()


def test_ansi__shows_what_blue_sees_also_where_the_caller_wrote_in_the_observation():
    env = Cage2Env(red_agent="bline", render_mode="ansi")
    env.reset(seed=0)
    for _ in range(3):
        observation = env.step(0)[0]
    text = env.render()
    assert "exploit" in text or "scan" in text
    observation[:] = 0.0
    assert env.render() == text


def test_human__prints_every_step(capsys):
    env = gym.make(ENV_ID, render_mode="human")
    env.reset(seed=0)
    env.step(0)
    printed = capsys.readouterr().out
    assert printed.count("the truth") == 2
    assert "step 1 of 100" in printed
    assert env.render() is None


def test_render_without_a_mode__is_none():
    env = Cage2Env()
    env.reset()
    assert env.render() is None
