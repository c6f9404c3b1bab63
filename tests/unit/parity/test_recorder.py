from dataclasses import replace

import numpy as np
import pytest
import yaml

from cageflow.envs.cyborg import CyborgEnv, TrueState, cyborg_rules
from cageflow.errors import UserError
from cageflow.parity.recorder import record_episodes
from cageflow.parity.recording import FIELDS, load_recording, save_recording
from cageflow.parity.replay import replay
from cageflow.scenario import RedKind, default_network
from cageflow.scenario.cyborg.writing import cyborg_text
from cageflow.scenario.generating import generate_network
from cageflow.scenario.writing import network_text

NETWORK = default_network()
OTHER_RULES = {"v2.1": "challenge", "challenge": "v2.1"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "holds no CybORG"),
        ({"cyborg_path": None}, "No folder of CybORG is given"),
        ({"episodes": 0}, "0 episodes with seed 0 are not possible"),
        ({"seed": -1}, "30 episodes with seed -1 are not possible"),
        ({"policy": "cleverest"}, "is no policy to record with"),
        ({"red_agent": "Nobody"}, "is no red agent"),
        ({"max_steps": 0}, "max_steps is 0; an episode has 1 to"),
        ({"rules": "v3"}, "'v3' is no rule set; possible are v2.1, challenge"),
    ],
)
def test_record_episodes__impossible_arguments_are_refused(tmp_path, arguments, message):
    with pytest.raises(UserError, match=message):
        record_episodes(**({"cyborg_path": tmp_path} | arguments))


@pytest.mark.cyborg
def test_record_episodes__other_rules_than_the_installed_ones_are_refused(cyborg_path):
    found = cyborg_rules(cyborg_path)
    with pytest.raises(UserError, match=f"plays the rules {found}, not {OTHER_RULES[found]}"):
        record_episodes(cyborg_path, rules=OTHER_RULES[found])


@pytest.mark.cyborg
@pytest.mark.parametrize("red_agent", ["B_lineAgent", "RedMeanderAgent", "SleepAgent"])
def test_record_episodes__what_is_noted_hangs_together(cyborg_path, red_agent):
    r = record_episodes(
        cyborg_path, cyborg_rules(cyborg_path), red_agent, "decoyer", green=True, seed=2, episodes=3, max_steps=60
    )
    exploits = r.red_kind == RedKind.EXPLOIT_REMOTE_SERVICE
    escalations = r.red_kind == RedKind.PRIVILEGE_ESCALATE
    shells = r.detected >= 0
    sessions = r.user_sessions.astype(int) + r.privileged_sessions
    assert (r.red_valid == 1).all()
    assert not (r.exploit[~exploits] >= 0).any() and not shells[r.exploit < 0].any()
    assert not (r.escalate_session[~escalations] >= 0).any()
    assert (r.red_success[shells] == 1).all()
    assert (np.diff(sessions.sum(axis=2), axis=1)[shells] > -sessions.max()).all()
    assert (sessions[:, :, NETWORK.hosts.index("User0")] >= 1).all()
    assert (r.obs[:, 0] == 0).all() and (r.decoys[:, 0] == 0).all() and (r.ot_running[:, 0] == 1).all()
    assert ((r.reward <= -9) == (r.ot_running[:, 1:] == 0)).all()
    assert (r.green_scan >= 0).any()
    assert exploits.any() == (red_agent != "SleepAgent")
    assert set(np.unique(r.blue_success)) <= {0, 1, 2}


@pytest.mark.cyborg
def test_record_episodes__an_episode_depends_on_its_seed_and_number_alone(cyborg_path, tmp_path):
    rules = cyborg_rules(cyborg_path)

    def record(seed, episodes):
        return record_episodes(cyborg_path, rules, seed=seed, episodes=episodes, max_steps=12)

    both, first, other = record(5, 2), record(5, 1), record(6, 1)
    save_recording(tmp_path / "both.npz", both)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(both, name)[:1], getattr(first, name))
        np.testing.assert_array_equal(getattr(load_recording(tmp_path / "both.npz"), name), getattr(both, name))
    assert (first.blue_action != other.blue_action).any()
    assert (both.blue_action[0] != both.blue_action[1]).any()


@pytest.mark.cyborg
def test_record_episodes__a_policy_of_the_users_own_sees_step_observation_and_game(cyborg_path):
    seen = []

    def watchful(env, observation, step, rng):
        seen.append((step, observation.copy(), env.true_state().ot_running))
        return NETWORK.codec.encode("Monitor")

    r = record_episodes(cyborg_path, cyborg_rules(cyborg_path), policy=watchful, episodes=2, max_steps=8)
    assert r.meta.policy == "watchful"
    assert [step for step, _, _ in seen] == [*range(8), *range(8)]
    np.testing.assert_array_equal([vector for _, vector, _ in seen[:8]], r.obs[0, :8])
    assert all(running for _, _, running in seen)
    assert (r.blue_action == 1).all()


@pytest.mark.cyborg
def test_record_episodes__more_sessions_than_a_recording_can_hold_are_refused(cyborg_path, monkeypatch):
    crowd = np.full(len(NETWORK.hosts), 256, np.int16)
    state = TrueState(crowd, np.zeros_like(crowd), np.zeros(len(crowd), np.uint8), ot_running=True)
    monkeypatch.setattr(CyborgEnv, "true_state", lambda env: state)
    with pytest.raises(UserError, match="a host holds 256 sessions of red, a recording has room for 255"):
        record_episodes(cyborg_path, cyborg_rules(cyborg_path), episodes=1, max_steps=1)


@pytest.mark.cyborg
def test_record_episodes__on_another_network_carries_it_and_replays(cyborg_path, tmp_path):
    theirs, ours = tmp_path / "theirs.yaml", tmp_path / "ours.yaml"
    scenario = generate_network(6, 3, 3, 1)
    theirs.write_text(cyborg_text(scenario))
    ours.write_text(network_text(scenario))
    rules = cyborg_rules(cyborg_path)
    for path, entry in ((theirs, "scenario"), (ours, "network_file")):
        recording = record_episodes(cyborg_path, rules, "meander", "lazy", episodes=1, max_steps=60, scenario=path)
        assert getattr(recording.meta, entry) == path.read_text()
        assert replay(recording).mismatches == 0


def without_servers(path, users):
    """CAGE-2 as a scenario file in which some users know of no server."""
    content = yaml.safe_load(cyborg_text(NETWORK.scenario))
    for user in users:
        host = content["Hosts"][user]
        host["info"] = {name: insight for name, insight in host["info"].items() if not name.startswith("Enterprise")}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


@pytest.mark.cyborg
def test_record_episodes__where_the_original_breaks_down_says_so(cyborg_path, tmp_path):
    path = without_servers(tmp_path / "hidden.yaml", ["User1"])
    with pytest.raises(UserError, match="CybORG broke down in step .* against B_lineAgent, which cannot play on this"):
        record_episodes(cyborg_path, cyborg_rules(cyborg_path), "bline", "sleep", episodes=20, scenario=path)


@pytest.mark.cyborg
def test_record_episodes__b_line_without_a_way_of_its_own_is_refused(cyborg_path, tmp_path):
    path = without_servers(tmp_path / "hidden.yaml", ["User1", "User2", "User3", "User4"])
    with pytest.raises(UserError, match="B_lineAgent has no way of its own through 'hidden': CybORG's breaks down"):
        record_episodes(cyborg_path, cyborg_rules(cyborg_path), "bline", "sleep", episodes=1, scenario=path)


@pytest.mark.cyborg
@pytest.mark.parametrize("policy", ["random", "decoyer", "focused"])
@pytest.mark.parametrize("red_agent", ["B_lineAgent", "RedMeanderAgent"])
def test_record_episodes__what_is_recorded_replays_without_a_mismatch(cyborg_path, red_agent, policy):
    recording = record_episodes(
        cyborg_path, cyborg_rules(cyborg_path), red_agent, policy, green=True, seed=8, episodes=2, max_steps=80
    )
    report = replay(recording)
    assert (report.mismatches, report.earliest) == (0, None)
    planted = replace(recording, detected=np.where(recording.detected == 1, np.int8(0), recording.detected))
    assert replay(planted).mismatches > 0
