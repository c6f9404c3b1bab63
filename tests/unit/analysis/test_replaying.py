"""What is written down of an episode is what the traces say of it, and every reason given is the true one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cageflow.agents.policy_agent import PolicyAgent
from cageflow.agents.team import OPENING_STEPS, TeamAgent
from cageflow.analysis import replaying
from cageflow.analysis.replay import DEPARTS, EVICTED, FOLLOWS, Replay, ReplayStep
from cageflow.analysis.replaying import NUM_LIKELIEST, ScriptedAgent, replay_episodes
from cageflow.analysis.traces import DEPARTS as TRACE_DEPARTS
from cageflow.analysis.traces import FOLLOWS as TRACE_FOLLOWS
from cageflow.analysis.traces import Trace, trace_episodes
from cageflow.analysis.turns import find_turns
from cageflow.collect import EpisodeStream, WorkflowSpec
from cageflow.envs.inspection import Access
from cageflow.envs.options import GameOptions
from cageflow.scenario import BlueKind, RedKind
from tests.helpers.agents import NETWORK, SETTING, Scripted, policy
from tests.helpers.orders import parse_order

WORKFLOW = WorkflowSpec(parse_order("enterprise,op_server,user,op_host,defender"), 0.0, "evictable")
SEEDS = EpisodeStream(5, "test").seeds(0, 25)
OPTIONS = {
    "bline": GameOptions("bline", max_steps=40),
    "timed": GameOptions("meander", max_steps=40, green=True, durations="1,3,5,2"),
    "challenge": GameOptions("meander", max_steps=40, rules="challenge", observation="official"),
}
AGENT = PolicyAgent(policy())


def replays_of(options: GameOptions) -> list[Replay]:
    return replay_episodes(AGENT, options, SEEDS, WORKFLOW, titles=[f"Seed {seed}" for seed in SEEDS])


@pytest.fixture(scope="module", params=OPTIONS)
def case(request: pytest.FixtureRequest) -> tuple[GameOptions, list[Replay], Trace]:
    options = OPTIONS[request.param]
    (trace,) = trace_episodes(AGENT, options, SEEDS, WORKFLOW)
    return options, replays_of(options), trace


def test_replay__is_the_episode_of_the_traces(case: tuple[GameOptions, list[Replay], Trace]) -> None:
    options, replays, trace = case
    codec = options.network.codec
    turns = find_turns(options.network, trace, WORKFLOW.order, 0, 10**6)
    departures = {(one.episode, one.step): one for kind in turns.examples.values() for one in kind}
    words = {TRACE_FOLLOWS: FOLLOWS, TRACE_DEPARTS: DEPARTS}
    assert [one.env_return for one in replays] == trace.returns.tolist()
    assert [one.compliance for one in replays] == trace.compliance.tolist()
    for i, replay in enumerate(replays):
        assert len(replay.steps) == options.max_steps
        assert replay.start.access == "".join(map(str, trace.access[0, i].tolist()))
        for t, step in enumerate(replay.steps):
            begun = 0 if step.in_vain else codec.encode(step.blue)
            assert begun == trace.actions[t, i]
            assert step.reward == trace.rewards[t, i] == round(sum(cost for _, _, cost in step.causes), 1)
            assert step.after.access == "".join(map(str, trace.access[t + 1, i].tolist()))
            assert [digit == "3" for digit in step.after.activity] == trace.alarms[t, i].tolist()
            assert list(step.after.down) == np.flatnonzero(trace.service_down[t, i]).tolist()
            assert list(step.compromised) == np.flatnonzero(trace.held[t, i]).tolist()
            assert step.verdict == words.get(int(trace.verdicts[t, i]), "")
            assert (step.tested is None) == (step.verdict == "")
            departs = departures.pop((i, t + 1), None)
            assert (departs is not None) == (step.verdict == DEPARTS)
            if departs is not None:
                assert (departs.action, departs.due) == (step.blue, step.due)
    assert not departures
    steps = [step for replay in replays for step in replay.steps]
    assert len({step.verdict for step in steps}) == 3 and {True, False} <= {step.tested for step in steps}


def test_reasons__fit_what_happened(case: tuple[GameOptions, list[Replay], Trace]) -> None:
    options, replays, trace = case
    seen: set[str] = set()
    for i, replay in enumerate(replays):
        before = replay.start
        for t, step in enumerate(replay.steps):
            for name, host, came in step.ended:
                kind = options.network.codec.kind[options.network.codec.encode(name)]
                seen.add(came)
                if kind in (BlueKind.REMOVE, BlueKind.RESTORE):
                    was, still = before.access[host] != "0", bool(trace.left[t, i, host])
                    assert came == ("red was not there" if not was else "red stays" if still else EVICTED)
            seen.add(step.red_why.partition(":")[0])
            if step.red_why == "out of reach":
                assert not step.red_through and not is_open(step, trace.left[t, i])
            if step.red_why.startswith("a decoy: "):
                planted = dict(step.after.decoys)[step.red_host]
                assert set(step.red_why[9:].split(", ")) <= {NETWORK.decoys[d] for d in planted}
                assert step.red_success is False
            if step.red_success is False and step.red_kind == RedKind.EXPLOIT_REMOTE_SERVICE:
                assert step.red_why
            if step.red_kind == RedKind.EXPLOIT_REMOTE_SERVICE:
                assert step.red_from == NETWORK.hosts.index("User0")
            assert all(trace.left[t, i, host] for host in step.red_through)
            before = step.after
    assert {EVICTED, "red stays", "planted", "found nothing", "a decoy", "nothing listens there"} <= seen


def is_open(step: ReplayStep, held: np.ndarray) -> bool:
    """Whether red can reach its target, by the rules as they are written for people: docs/differences.md D-04."""
    subnet = (
        NETWORK.subnets[step.red_subnet]
        if step.red_subnet >= 0
        else NETWORK.scenario.hosts[NETWORK.hosts[step.red_host]].subnet
    )
    return subnet != "Operational" or any(held[NETWORK.hosts.index(f"Enterprise{i}")] for i in range(3))


def test_under_way__counts_down_and_then_ends() -> None:
    for replay in replays_of(OPTIONS["timed"]):
        before: dict[str, int] = {}
        for step in replay.steps:
            going = {name: left for name, _, left, _ in step.under_way}
            assert all(left == before.get(name, steps) - 1 for name, _, left, steps in step.under_way)
            ended = [name for name, left in before.items() if left == 1]
            assert [name for name, *_ in step.ended][: len(ended)] == ended
            assert step.in_vain == (len(before) == 1 and step.blue_kind not in (BlueKind.SLEEP, BlueKind.MONITOR))
            before = going


def test_probabilities__are_those_that_draws_follow() -> None:
    replays = replays_of(OPTIONS["bline"])
    steps = [step for replay in replays for step in replay.steps]
    for step in steps:
        assert len(step.likeliest) == NUM_LIKELIEST and step.chosen_prob is not None and step.chosen_prob > 0
        shares = [share for _, share in step.likeliest]
        assert shares == sorted(shares, reverse=True) and sum(shares) <= 1.0 + 1e-3
        assert dict(step.likeliest).get(step.blue, step.chosen_prob) == step.chosen_prob
    firsts = [replay.steps[0] for replay in replays]
    assert len({step.likeliest for step in firsts}) == 1  # all begin alike
    expected = np.mean([step.likeliest[0][1] for step in steps])
    taken = np.mean([step.blue == step.likeliest[0][0] for step in steps])
    assert taken == pytest.approx(expected, abs=4 * np.sqrt(0.25 / len(steps)))
    best = replay_episodes(PolicyAgent(policy(), deterministic=True), OPTIONS["bline"], SEEDS[:3], None, titles="abc")
    assert all(step.blue == step.likeliest[0][0] for replay in best for step in replay.steps)


def test_team__says_the_probabilities_of_whoever_plays() -> None:
    silent = Scripted(NETWORK.codec.encode("Analyse User1"))
    members = {"sleep": Scripted(), "bline": silent, "meander": AGENT}
    options = GameOptions("meander", max_steps=12)
    (replay,) = replay_episodes(TeamAgent(members, silent, SETTING), options, SEEDS[:1], None, titles="a")
    known = [bool(step.likeliest) for step in replay.steps]
    assert not any(known[:OPENING_STEPS]) and all(known[OPENING_STEPS + 1 :])
    assert not any(step.verdict or step.due for step in replay.steps)


def test_played_actions__give_the_same_episode_as_far_as_it_went() -> None:
    (whole, *_) = replays_of(OPTIONS["bline"])
    actions = [NETWORK.codec.encode(step.blue) for step in whole.steps[:17]]
    again, blind = (
        replay_episodes(
            ScriptedAgent(actions, agent), OPTIONS["bline"], SEEDS[:1], WORKFLOW, titles=[whole.title], num_steps=17
        )[0]
        for agent in (AGENT, None)
    )
    assert again.steps == whole.steps[:17]
    assert [step.red for step in blind.steps] == [step.red for step in again.steps]
    assert not any(step.likeliest for step in blind.steps)


def test_replay__survives_json() -> None:
    for replay in replays_of(OPTIONS["timed"])[:3]:
        assert Replay.from_json(json.loads(json.dumps(replay.to_json()))) == replay
    with pytest.raises((TypeError, KeyError)):
        Replay.from_json({**replay.to_json(), "steps": [{}]})


def test_reward_without_its_causes__is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    situation = replaying._situation

    def blind(network, state, table):  # type: ignore[no-untyped-def]
        found = situation(network, state, table)
        return replaying.Situation(**{**{name: getattr(found, name) for name in found.__slots__}, "access": "0" * 13})

    monkeypatch.setattr(replaying, "_situation", blind)
    with pytest.raises(RuntimeError, match="is not what these come to"):
        replay_episodes(AGENT, OPTIONS["bline"], SEEDS[:4], None, titles="abcd")
    assert Access.NONE == 0
