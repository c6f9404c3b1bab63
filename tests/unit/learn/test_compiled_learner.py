"""The compiled update against torch's, against finite differences, and with planted faults."""

import dataclasses
import inspect
import math
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from cageflow.learn import compiled_learner
from cageflow.learn.compiled_learner import whole_power
from cageflow.learn.compiled_update import (
    MEAN,
    PARAMETERS,
    PARTS,
    SQUARE,
    STEP,
    STEPPED,
    deal,
    minibatch_part,
    sort_steps,
)
from cageflow.learn.dense import BLOCK_ROWS
from cageflow.learn.ppo import PPO
from cageflow.learn.torch_learner import TorchLearner
from cageflow.settings.presets import PRESETS
from cageflow.sim.threads import BatchThreads
from tests.unit.learn.games import crude_rollout

ORDER = np.eye(5, dtype=np.float32)[[1, 0, 2, 4, 3]].reshape(-1)
NUM_BITS, NUM_ACTIONS = 20, 11


def make(preset="default", *, with_torch=False, order=ORDER, **changes):
    config = dataclasses.replace(PRESETS[preset].learner, **{"hidden_sizes": (16, 24), "target_kl": None, **changes})
    ppo = PPO(config, num_observations=NUM_BITS, num_actions=NUM_ACTIONS, order_encoding=order, total_updates=20)
    if with_torch:
        ppo._learner = TorchLearner(ppo._networks, config, "cpu")
    return ppo


def learned(ppo, row=PARAMETERS):
    """What is learned in one vector, in torch's order: of each layer the weight (outputs, inputs), then the bias."""
    return np.concatenate([array.reshape(-1) for layer in ppo._networks.layers(row) for array in layer])


def parameters(ppo):
    return learned(ppo)


def rollout_for(ppo, seed=0, **settings):
    return crude_rollout(ppo.actor_weights(), seed, **{"masked": True, **settings})


CASES = {
    "default": ("default", {}, {}),
    "champion": ("champion", {"hidden_sizes": (64, 64)}, {"num_distinct": 3 * BLOCK_ROWS}),
    "reference": ("reference", {}, {"masked": False}),
    "relu": ("default", {"activation": "relu"}, {}),
    "one layer": ("default", {"hidden_sizes": (5,)}, {}),
    "three layers": ("default", {"hidden_sizes": (9, 70, 8), "order": None}, {}),
    "no masks": ("default", {"norm_adv": False}, {"masked": False}),
    "masks and no advantages": ("reference", {"max_grad_norm": 0.05}, {}),
    "one step": ("default", {"num_minibatches": 1}, {"num_steps": 1, "num_envs": 1}),
}


@pytest.mark.parametrize("case", CASES)
def test_update__moves_the_parameters_as_torch_does(case):
    preset, changes, settings = CASES[case]
    # A larger epsilon, so that a gradient of nearly 0 is not a step of full length in one direction or the other.
    ours, theirs = (make(preset, with_torch=with_torch, adam_eps=1e-3, **changes) for with_torch in (False, True))
    before = parameters(ours)
    for seed in range(2):
        rollout = rollout_for(ours, seed, **settings)
        mine, wanted = ours.update(rollout), theirs.update(rollout)
        for name in ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction", "grad_norm"):
            assert getattr(mine, name) == pytest.approx(getattr(wanted, name), rel=1e-4, abs=2e-6), name
        assert mine.gradient_steps == wanted.gradient_steps == ours.config.update_epochs * ours.config.num_minibatches
    assert np.abs(parameters(ours) - before).max() > 1e-3
    assert np.abs(parameters(ours) - parameters(theirs)).max() < 4e-6
    assert np.allclose(learned(ours, MEAN), learned(theirs, MEAN), rtol=0, atol=1e-6)
    assert np.allclose(learned(ours, SQUARE), learned(theirs, SQUARE), rtol=1e-3, atol=1e-8)


def shared_update(num_threads, seed=0):
    """A learner after an update whose minibatches are dealt to parts, worked through by so many threads."""
    ppo = make("champion", hidden_sizes=(16, 24))
    ppo._learner._threads = BatchThreads(PARTS, num_threads)
    rollout = rollout_for(ppo, seed, num_steps=60, num_envs=60, num_distinct=3600)
    assert rollout.observations.shape[0] >= compiled_learner.WORTH_SHARING
    ppo.update(rollout)
    return ppo, rollout


def test_threads__work_side_by_side_and_change_no_figure(monkeypatch):
    alone, _ = shared_update(1)
    at_work = set()

    def noting(*arguments):
        at_work.add(threading.get_ident())
        minibatch_part(*arguments)

    monkeypatch.setattr(compiled_learner, "minibatch_part", noting)
    together, _ = shared_update(2)
    assert len(at_work) == 2
    assert np.array_equal(parameters(together), parameters(alone))
    assert np.array_equal(learned(together, SQUARE), learned(alone, SQUARE))


def test_parts__add_up_to_the_whole(monkeypatch):
    dealt, rollout = shared_update(2)
    monkeypatch.setattr(compiled_learner, "WORTH_SHARING", math.inf)
    whole = make("champion", hidden_sizes=(16, 24))
    whole.update(rollout)
    assert not np.array_equal(parameters(dealt), parameters(whole))  # their sums have another order
    assert np.abs(parameters(dealt) - parameters(whole)).max() < 1e-4
    monkeypatch.setattr(compiled_learner, "WORTH_SHARING", 0)

    def losing(*arguments):
        minibatch_part(*arguments)
        arguments[ARGUMENTS.index("all_sums")][1, -1] = 0.0  # as if the second part had no block

    monkeypatch.setattr(compiled_learner, "minibatch_part", losing)
    lost = make("champion", hidden_sizes=(16, 24))
    lost.update(rollout)
    assert np.abs(parameters(lost) - parameters(whole)).max() > 1e-3


def off_by(fault, **changes):
    """How far one compiled step lies from torch's after a fault is planted in what it reads."""
    ours, theirs = (make(with_torch=with_torch, num_minibatches=1, **changes) for with_torch in (False, True))
    rollout = rollout_for(ours)
    for ppo in (ours, theirs):
        targets, advantages, _ = ppo._targets(rollout)
        ppo._learner.begin(rollout, targets, advantages)
        ppo._learner.shuffle(np.arange(rollout.actions.size), 1)
    fault(ours._learner)
    for ppo in (ours, theirs):
        ppo._learner.step(0, 1e-3, 0.01)
        ppo._learner.end()
    return np.abs(parameters(ours) - parameters(theirs)).max()


ARGUMENTS = tuple(inspect.signature(getattr(minibatch_part, "py_func", minibatch_part)).parameters)


def test_update__does_the_same_as_plain_python():
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            __file__,
            "-k",
            "torch_does and layer",
        ],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0 and "2 passed" in ran.stdout, ran.stdout


def wrong(name, change):
    """Changes an argument of the compiled function, or a field of the steps."""

    def plant(learner):
        if name in STEP.names:
            learner._steps[name] = change(learner._steps[name])
            return
        arrays = list(learner._arrays)
        place = ARGUMENTS.index(name)
        arrays[place] = change(arrays[place]).astype(arrays[place].dtype)
        learner._arrays = tuple(arrays)

    return plant


def lose_a_step(learner):
    learner._members, learner._bounds = learner._members[1:], learner._bounds - np.array([0, 1])


FAULTS = {
    "an action beside the right one": wrong("action", lambda a: np.maximum(a - 1, 0)),
    "masks that allow all": wrong("masks", lambda m: np.where(np.arange(m.size) % 16 < NUM_ACTIONS, -1, 0)),
    "targets of other steps": wrong("target", lambda t: np.roll(t, 1)),
    "advantages turned round": wrong("advantage", lambda a: -a),
    "another bit": wrong("places", lambda p: np.where(p == 3, 4, p)),
    "log-probabilities of other steps": wrong("log_prob", lambda x: np.roll(x, 1)),
    "a step lost": lose_a_step,
    "columns swapped": wrong("columns", lambda c: np.roll(c, 1)),
    "another order": wrong("order", lambda o: np.roll(o, 1)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_comparison_with_torch__sees_what_is_wrong(fault):
    assert off_by(FAULTS[fault], adam_eps=1e-3) > 1e-5
    assert off_by(lambda learner: None, adam_eps=1e-3) < 1e-6


def loss_of(vector, ppo, rollout, targets, advantages, ent_coef):
    """The loss by its formulas, step by step, in double precision, from parameters in torch's order."""
    config = ppo.config
    outputs = []
    at = 0
    bits = rollout.observations[rollout.observation_idx].reshape(-1, NUM_BITS)
    inputs = np.concatenate([bits, np.tile(ORDER, (len(bits), 1))], axis=1)
    for last in (NUM_ACTIONS, 1):
        x = inputs
        sizes = [x.shape[1], *config.hidden_sizes, last]
        for number, (i, o) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
            x = x @ vector[at : at + i * o].reshape(o, i).T + vector[at + i * o : at + i * o + o]
            at += i * o + o
            x = np.tanh(x) if number < len(sizes) - 2 else x
        outputs.append(x)
    logits, values = outputs[0], outputs[1][:, 0]
    logits = np.where(rollout.masks[rollout.mask_idx].reshape(logits.shape) > 0, logits, -np.inf)
    probs = np.exp(logits - logits.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    log_probs = np.log(np.where(probs > 0, probs, 1.0))
    log_ratio = log_probs[np.arange(len(bits)), rollout.actions.reshape(-1)] - rollout.log_probs.reshape(-1)
    ratio = np.exp(log_ratio)
    unit = (advantages - advantages.mean()) / (advantages.std(ddof=1) + 1e-8)
    surrogate = np.minimum(ratio * unit, np.clip(ratio, 1 - config.clip_coef, 1 + config.clip_coef) * unit)
    entropy = -(probs * log_probs).sum(axis=1)
    error = np.square(values - targets)
    return -surrogate.mean() - ent_coef * entropy.mean() + config.vf_coef * error.mean()


def test_gradient__is_that_of_finite_differences():
    ppo = make(hidden_sizes=(6, 5), num_minibatches=1, max_grad_norm=None)
    rng = np.random.default_rng(1)
    for _, parameter in ppo._networks.named_parameters():
        parameter += 0.3 * rng.normal(size=parameter.shape).astype(np.float32)
    rollout = rollout_for(ppo, num_steps=6, num_envs=10)
    targets, advantages, _ = ppo._targets(rollout)
    rollout.log_probs[:] += np.random.default_rng(0).normal(size=rollout.log_probs.shape).astype(np.float32)
    learner = ppo._learner
    learner.begin(rollout, targets, advantages)
    learner.shuffle(np.arange(rollout.actions.size), 1)
    before = parameters(ppo).astype(np.float64)
    assert learner.step(0, 0.0, 0.05).outcome == STEPPED
    learner.end()
    # Of the first step, Adam's mean is the gradient times 1 - its decay.
    gradient = learned(ppo, MEAN) / (1.0 - ppo.config.adam_betas[0])
    assert np.array_equal(parameters(ppo), before.astype(np.float32))

    def loss(vector):
        flat = [array.astype(np.float64).reshape(-1) for array in (targets, advantages)]
        return loss_of(vector, ppo, rollout, *flat, 0.05)

    h = 1e-5
    wanted = np.empty_like(before)
    for i in range(before.size):
        step = np.zeros_like(before)
        step[i] = h
        wanted[i] = (loss(before + step) - loss(before - step)) / (2 * h)
    assert np.abs(wanted).max() > 0.05
    assert gradient == pytest.approx(wanted, abs=3e-6)


def test_values__are_those_of_torch():
    ours, theirs = make(), make(with_torch=True)
    observations = rollout_for(ours, num_distinct=300).observations
    assert ours.values(observations) == pytest.approx(theirs.values(observations), abs=1e-5)


def test_networks__keep_what_no_mask_allows():
    ppo = make(num_minibatches=1)
    rollout = rollout_for(ppo)
    masks = rollout.masks.copy()
    unused = [a for a in range(NUM_ACTIONS) if not (rollout.actions == a).any()] or [7]
    kept = ~np.isin(rollout.actions, unused)
    masks[:, unused] = 0
    rollout = dataclasses.replace(rollout, masks=masks, actions=np.where(kept, rollout.actions, 0))
    ppo._learner.begin(rollout, *ppo._targets(rollout)[:2])
    columns = ppo._learner._arrays[ARGUMENTS.index("columns")]
    assert columns.tolist() == [a for a in range(NUM_ACTIONS) if a not in unused]
    ppo._learner.end()
    before = ppo.state_dict()["networks"]
    ppo.update(rollout)
    after = ppo.state_dict()["networks"]
    assert np.array_equal(after["actor.2.weight"][unused], before["actor.2.weight"][unused])
    assert not np.array_equal(after["actor.2.weight"], before["actor.2.weight"])


def test_sort_steps__is_by_observation_then_by_mask_then_as_they_came():
    rows, masks = np.array([2, 0, 2, 1, 2, 0], np.int32), np.array([1, 1, 0, 0, 0, 0], np.int32)
    assert sort_steps(rows, masks, 3, 2).tolist() == [5, 1, 3, 2, 4, 0]


def test_deal__gives_each_minibatch_its_steps_in_sorted_order():
    places = np.array([3, 0, 2, 1, 4], np.int32)  # step 0 is the fourth of the sorted
    dealt = deal(places, np.array([4, 2, 0, 1, 3]), np.array([0, 2, 3, 5]))
    assert dealt.tolist() == [2, 4, 3, 0, 1]


def test_whole_power__is_the_power():
    assert [whole_power(0.9, n) for n in (0, 1, 2)] == [1.0, 0.9, 0.9 * 0.9]
    assert whole_power(0.99, 12345) == pytest.approx(math.pow(0.99, 12345), rel=1e-12)
