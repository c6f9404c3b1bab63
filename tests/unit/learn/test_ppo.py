import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from cageflow.learn.ppo import PPO, NonFiniteError
from cageflow.learn.rollout import Rollout
from cageflow.settings.presets import PRESETS
from tests.unit.learn.games import Chain, ContextualBandit, crude_rollout, play, spread

ORDER = np.eye(5, dtype=np.float32)[[1, 0, 2, 4, 3]].reshape(-1)
NUM_BITS, NUM_ACTIONS = 20, 11
QUICK = {"learning_rate": 0.01, "num_minibatches": 1, "update_epochs": 4, "target_kl": None}
SMALL = {"hidden_sizes": (16, 16)}


def make(preset="reference", *, order=ORDER, seed=0, total_updates=20, size=(NUM_BITS, NUM_ACTIONS), **changes):
    config = dataclasses.replace(PRESETS[preset].learner, **{**SMALL, **changes})
    return PPO(
        config,
        num_observations=size[0],
        num_actions=size[1],
        order_encoding=order,
        total_updates=total_updates,
        seed=seed,
    )


def parameters(ppo):
    """All weights in one vector."""
    return np.concatenate([array.reshape(-1) for array in ppo.state_dict()["networks"].values()])


def rollout_for(ppo, seed=0, **settings):
    return crude_rollout(ppo.actor_weights(), seed, **settings)


def blank_rollout(actions, rewards, *, num_bits=NUM_BITS, num_actions=NUM_ACTIONS):
    """Steps that all see an observation of zeros, chosen uniformly; `actions` and `rewards` (T, B)."""
    shape = np.shape(actions)
    return Rollout(
        observations=np.zeros((1, num_bits), np.uint8),
        observation_idx=np.zeros(shape, np.int32),
        final_observation_idx=np.zeros(shape[1], np.int32),
        actions=np.asarray(actions),
        log_probs=np.full(shape, -math.log(num_actions), np.float32),
        env_rewards=np.asarray(rewards, np.float32),
        alignment_rewards=np.zeros(shape, np.float32),
    )


# The update as a whole


def test_reference__equals_the_textbook_update_on_concatenated_inputs():
    ppo = make("reference")
    rollout = rollout_for(ppo)
    state = ppo.state_dict()["networks"]

    def network(part, num_outputs):
        sizes = [NUM_BITS + 25, 16, 16, num_outputs]
        layers = [nn.Linear(sizes[i], sizes[i + 1]) for i in range(3)]
        for number, layer in enumerate(layers):
            layer.load_state_dict(
                {name: torch.from_numpy(state[f"{part}.{number}.{name}"]) for name in ("weight", "bias")}
            )
        return nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])

    actor, critic = network("actor", NUM_ACTIONS), network("critic", 1)
    optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=0.002, betas=(0.9, 0.99))
    bits = torch.from_numpy(rollout.observations[rollout.observation_idx]).float().reshape(-1, NUM_BITS)
    inputs = torch.cat([bits, torch.from_numpy(ORDER).expand(len(bits), -1)], dim=1)
    actions = torch.from_numpy(rollout.actions).reshape(-1)
    old = torch.from_numpy(rollout.log_probs).reshape(-1)
    returns = np.zeros_like(rollout.rewards)
    running = np.zeros(rollout.num_episodes)
    for t in reversed(range(rollout.num_steps)):
        running = rollout.rewards[t] + 0.99 * running
        returns[t] = running
    targets = torch.from_numpy(returns).reshape(-1)
    targets = (targets - targets.mean()) / (targets.std() + 1e-5)
    for _ in range(6):
        distribution = torch.distributions.Categorical(logits=actor(inputs))
        values = critic(inputs)[:, 0]
        ratio = (distribution.log_prob(actions) - old).exp()
        advantages = targets - values.detach()
        surrogate = torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
        loss = -surrogate.mean() + 0.5 * nn.functional.mse_loss(values, targets) - 0.01 * distribution.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    before = parameters(ppo)
    stats = ppo.update(rollout)
    after = ppo.state_dict()["networks"]
    assert np.abs(parameters(ppo) - before).max() > 5e-3
    for part, wanted in (("actor", actor), ("critic", critic)):
        for number, layer in enumerate(module for module in wanted if isinstance(module, nn.Linear)):
            assert np.allclose(after[f"{part}.{number}.weight"], layer.weight.detach(), atol=2e-4)
            assert np.allclose(after[f"{part}.{number}.bias"], layer.bias.detach(), atol=2e-4)
    assert stats.policy_loss == pytest.approx(-surrogate.mean().item(), abs=1e-4)
    assert (stats.epochs_done, stats.gradient_steps) == (6, 6)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("preset", PRESETS)
def test_update__on_distinct_observations_equals_the_update_step_by_step(preset, masked):
    shared, plain = (make(preset, target_kl=None) for _ in range(2))
    rollout = rollout_for(shared, masked=masked)
    before = parameters(shared)
    few, many = shared.update(rollout), plain.update(spread(rollout))
    assert few.distinct_observations < 40 < 400 < many.distinct_observations
    assert np.abs(parameters(shared) - before).max() > 5e-3
    assert np.allclose(parameters(shared), parameters(plain), atol=2e-4)
    for name in ("policy_loss", "value_loss", "entropy", "approx_kl", "explained_variance", "grad_norm"):
        assert getattr(few, name) == pytest.approx(getattr(many, name), abs=1e-4), name


def test_update__leaves_torchs_global_generator_alone():
    before = torch.get_rng_state()
    ppo = make("default")
    ppo.update(rollout_for(ppo))
    assert torch.equal(torch.get_rng_state(), before)


def test_update__is_decided_by_the_seed():
    def trained(seed):
        ppo = make("default", seed=seed)
        ppo.update(rollout_for(ppo))
        return parameters(ppo)

    assert np.array_equal(trained(1), trained(1))
    assert not np.array_equal(trained(1), trained(2))


# What PPO can solve


def train(game, preset, num_updates, *, num_steps, seed, **changes):
    ppo = make(
        preset,
        order=None,
        seed=seed,
        size=(game.num_observations, game.num_actions),
        total_updates=num_updates,
        **changes,
    )
    rng = np.random.default_rng(seed)
    for _ in range(num_updates):
        ppo.update(play(game, ppo.actor_weights(), num_steps=num_steps, num_envs=64, rng=rng))
    return play(game, ppo.actor_weights(), num_steps=num_steps, num_envs=64, rng=rng).rewards.sum(axis=0).mean()


@pytest.mark.parametrize("preset", PRESETS)
def test_bandit__is_solved(preset):
    reward = train(ContextualBandit(), preset, 60, num_steps=4, seed=1, learning_rate=0.01)
    assert reward > 0.9 * 4


@pytest.mark.parametrize("preset", PRESETS)
def test_chain__is_solved_past_the_small_reward_at_hand(preset):
    # Going right throughout earns 1 at each of the last 7 of 10 steps; taking what is at hand earns 0.1 * 10.
    reward = train(Chain(), preset, 60, num_steps=10, seed=1, learning_rate=0.01)
    assert reward > 0.9 * 7


# Details


def test_truncation__is_bootstrapped_unless_told_otherwise():
    # A reward of 1 a step for ever is worth 1 / (1 - 0.8) = 5; cut off after 4 steps, on average less than 2.4.
    def learned_value(bootstrap):
        ppo = make("default", order=None, gamma=0.8, bootstrap_truncation=bootstrap, **QUICK)
        rollout = blank_rollout(np.zeros((4, 16), int), np.ones((4, 16)))
        for _ in range(80):
            ppo.update(rollout)
        return ppo.values(np.zeros((1, NUM_BITS), np.uint8))[0]

    cut_off = np.mean([(1 - 0.8**left) / (1 - 0.8) for left in (1, 2, 3, 4)])
    assert learned_value(True) == pytest.approx(5.0, abs=0.3)
    # Without it, lambda < 1 still passes the critic's own values on within the episode.
    assert learned_value(False) < cut_off + 0.6 < 4.0


@pytest.mark.parametrize("preset", ["default", "reference"])
def test_episode_lengths__count_the_first_steps_more_often(preset):
    def learned(rewards, **changes):
        ppo = make(preset, order=None, **changes)
        ppo.update(blank_rollout(np.arange(64).reshape(4, 16) % NUM_ACTIONS, rewards))
        return ppo.state_dict()["networks"]

    rewards = np.random.default_rng(0).normal(size=(4, 16)).astype(np.float32)
    weighed = learned(rewards, episode_lengths=(1, 3, 4))
    by_hand = learned(rewards * np.array([[3], [2], [2], [1]], np.float32))
    plain = learned(rewards)
    assert all(np.array_equal(weighed[name], by_hand[name]) for name in weighed)
    assert not all(np.array_equal(weighed[name], plain[name]) for name in weighed)


def actor_change(rewards, part="actor", **changes):
    """How one update moves the actor, and what was measured; the critic starts at 0 where all bits are."""
    settings = {"num_minibatches": 1, "update_epochs": 1, "norm_values": False, "ent_coef": 0.0, "adam_eps": 1e6}
    ppo = make("default", order=None, final_ent_coef=None, **{**settings, "max_grad_norm": None, **changes})
    before = ppo.state_dict()["networks"][f"{part}.2.bias"]
    stats = ppo.update(blank_rollout(np.arange(8).reshape(1, 8) % NUM_ACTIONS, np.reshape(rewards, (1, 8))))
    return ppo.state_dict()["networks"][f"{part}.2.bias"] - before, stats


REWARDS = np.array([1.0, -2.0, 0.5, 3.0, 0.0, -1.0, 2.0, 1.5])


def test_norm_adv__makes_the_actors_step_independent_of_the_rewards_scale_and_offset():
    # Adam's large epsilon makes its first step proportional to the gradient.
    plain, _ = actor_change(REWARDS, norm_adv=True)
    moved, _ = actor_change(100.0 * REWARDS + 7.0, norm_adv=True)
    assert np.abs(plain).max() > 0
    assert np.allclose(moved, plain, rtol=1e-3, atol=1e-6 * np.abs(plain).max())


def test_advantages__are_taken_as_they_are_without_norm_adv():
    plain, _ = actor_change(REWARDS, norm_adv=False)
    tenfold, _ = actor_change(10.0 * REWARDS, norm_adv=False)
    assert np.allclose(tenfold, 10.0 * plain, rtol=1e-3, atol=0)


def test_max_grad_norm__shortens_the_gradient_to_its_value():
    free, stats = actor_change(REWARDS)
    assert stats.grad_norm > 0
    half, clipped = actor_change(REWARDS, max_grad_norm=stats.grad_norm / 2)
    assert clipped.grad_norm == pytest.approx(stats.grad_norm)  # reported before clipping
    assert np.allclose(half, free / 2, rtol=1e-3, atol=0)
    loose, _ = actor_change(REWARDS, max_grad_norm=stats.grad_norm * 2)
    assert np.array_equal(loose, free)


def test_vf_coef__weighs_the_critics_squared_error_and_nothing_else():
    # The mean square of (0 - reward) changes by -2 * mean with the last bias; Adam's first step is lr / eps of that.
    for vf_coef in (0.5, 2.0):
        change, stats = actor_change(REWARDS, part="critic", vf_coef=vf_coef)
        assert change.item() == pytest.approx(0.003 / 1e6 * vf_coef * 2.0 * REWARDS.mean(), rel=1e-3)
        assert stats.value_loss == pytest.approx(np.square(REWARDS).mean())
    assert np.array_equal(actor_change(REWARDS, vf_coef=0.5)[0], actor_change(REWARDS, vf_coef=2.0)[0])


def test_norm_values__follows_the_returns_as_they_change():
    ppo = make("default", order=None, gamma=0.0, **QUICK)
    for level in (0.0, -250.0):
        rewards = np.random.default_rng(0).normal(level, 3.0, (8, 16))
        for _ in range(40):
            ppo.update(blank_rollout(np.zeros((8, 16), int), rewards))
        scale = ppo.state_dict()["value_scale"]
        assert scale["mean"] == pytest.approx(rewards.mean(), abs=0.02 * abs(level) + 0.1)


def test_entropy_bonus__raises_entropy_when_nothing_else_is_at_stake():
    ppo = make("reference", ent_coef=0.1)
    ppo._networks.actor[-1].bias[0] += 3.0
    entropies = []
    for seed in range(5):
        rollout = rollout_for(ppo, seed)
        still = dataclasses.replace(
            rollout,
            env_rewards=np.zeros_like(rollout.env_rewards),
            alignment_rewards=np.zeros_like(rollout.env_rewards),
        )
        entropies.append(ppo.update(still).entropy)
    assert entropies == sorted(entropies)
    assert entropies[-1] > entropies[0] + 0.1


def test_target_kl__ends_the_update_before_the_step_that_follows_the_excess():
    free = make("default", target_kl=None, learning_rate=0.05)
    stats = free.update(rollout_for(free))
    config = free.config
    assert stats.epochs_done == config.update_epochs
    assert stats.gradient_steps == config.update_epochs * config.num_minibatches
    assert stats.approx_kl > 0.05

    bound = make("default", target_kl=0.01, learning_rate=0.05)
    stats = bound.update(rollout_for(bound))
    assert 0 < stats.gradient_steps < config.update_epochs * config.num_minibatches
    assert stats.epochs_done == stats.gradient_steps // config.num_minibatches


def watched(monkeypatch, ppo):
    """The steps that minibatches learn from, and their approximate KL divergences, as they come."""
    minibatches, divergences = [], []
    learner = ppo._learner
    step = learner.step

    def watch(number, learning_rate, ent_coef):
        minibatches.append(learner._members[learner._bounds[number] : learner._bounds[number + 1]])
        measures = step(number, learning_rate, ent_coef)
        divergences.append(measures.approx_kl)
        return measures

    monkeypatch.setattr(learner, "step", watch)
    return minibatches, divergences


def test_target_kl__is_the_divergence_that_ends_an_update_and_no_other(monkeypatch):
    free = make("default", target_kl=None, learning_rate=0.05)
    _, divergences = watched(monkeypatch, free)
    free.update(rollout_for(free))
    step = next(i for i in range(2, len(divergences)) if divergences[i] > 1.1 * max(divergences[:i]))
    for share, further in ((0.95, False), (1.05, True)):
        bound = make("default", target_kl=share * divergences[step], learning_rate=0.05)
        assert (bound.update(rollout_for(bound)).gradient_steps > step) is further


def test_minibatches__part_the_steps_anew_in_every_epoch(monkeypatch):
    ppo = make("default", num_minibatches=4, update_epochs=2, target_kl=None)
    minibatches, _ = watched(monkeypatch, ppo)
    rollout = rollout_for(ppo)
    ppo.update(rollout)
    assert [len(members) for members in minibatches] == [rollout.actions.size // 4] * 8
    for epoch in (minibatches[:4], minibatches[4:]):
        assert np.array_equal(np.sort(np.concatenate(epoch)), np.arange(rollout.actions.size))  # each step once
    for first in minibatches[:4]:
        for second in minibatches[4:]:
            assert np.isin(first, second).mean() < 0.5


def test_schedules__run_in_a_straight_line_to_the_last_planned_update_and_stay_there():
    ppo = make(
        "default", total_updates=3, learning_rate=0.01, final_learning_rate=0.002, ent_coef=0.1, final_ent_coef=0.0
    )
    stats = [ppo.update(rollout_for(ppo, seed)) for seed in range(4)]
    assert [s.learning_rate for s in stats] == pytest.approx([0.01, 0.006, 0.002, 0.002])
    assert [s.ent_coef for s in stats] == pytest.approx([0.1, 0.05, 0.0, 0.0])
    assert ppo.state_dict()["updates_done"] == 4


def test_schedules__need_to_know_how_long_training_is():
    with pytest.raises(ValueError, match="total_updates is None: the schedules"):
        make("default", total_updates=None)
    make("reference", total_updates=None)


def test_masks__give_forbidden_actions_no_gradient():
    mask = np.ones(4, np.uint8)
    mask[2] = 0
    ppo = make("default", order=None, size=(4, 4), target_kl=None)
    rollout = play(
        ContextualBandit(), ppo.actor_weights(), num_steps=5, num_envs=30, rng=np.random.default_rng(0), mask=mask
    )
    assert not (rollout.actions == 2).any()
    before = ppo.state_dict()["networks"]
    ppo.update(rollout)
    after = ppo.state_dict()["networks"]
    assert np.array_equal(after["actor.2.weight"][2], before["actor.2.weight"][2])
    assert not np.array_equal(after["actor.2.weight"][1], before["actor.2.weight"][1])


def test_masks__count_for_the_entropy():
    ppo = make("default", order=None, size=(4, 4), update_epochs=1, num_minibatches=1)
    mask = np.array([1, 0, 1, 0], np.uint8)
    rng = np.random.default_rng(0)
    rollout = play(ContextualBandit(), ppo.actor_weights(), num_steps=5, num_envs=30, rng=rng, mask=mask)
    assert ppo.update(rollout).entropy == pytest.approx(math.log(2.0), abs=1e-3)


def test_values__are_in_units_of_the_rewards():
    ppo = make("default", order=None, gamma=0.0, **QUICK)
    for _ in range(80):
        ppo.update(blank_rollout(np.zeros((2, 16), int), np.full((2, 16), -250.0)))
    assert ppo.values(np.zeros((3, NUM_BITS), np.uint8)) == pytest.approx(np.full(3, -250.0), rel=0.01)


# What is refused


@pytest.mark.parametrize("name", ["env_rewards", "alignment_rewards", "log_probs"])
def test_update__stops_at_a_rollout_that_is_not_finite_and_names_it(name):
    ppo = make()
    rollout = rollout_for(ppo)
    getattr(rollout, name)[3, 5] = np.nan
    before = parameters(ppo)
    with pytest.raises(NonFiniteError, match=f"update 1: {name} of the rollout are not finite"):
        ppo.update(rollout)
    assert np.array_equal(parameters(ppo), before)


def test_update__stops_at_a_loss_that_is_not_finite_and_names_it():
    ppo = make("default", norm_values=False)
    rollout = rollout_for(ppo)
    rollout.env_rewards[:] = 1e30
    before = parameters(ppo)
    with pytest.raises(NonFiniteError, match="update 1: the value loss is inf"):
        ppo.update(rollout)
    assert np.array_equal(parameters(ppo), before)


def test_update__stops_at_a_policy_loss_that_is_not_finite():
    ppo = make("reference")
    rollout = rollout_for(ppo)
    rollout.log_probs[:] = -1e30
    with pytest.raises(NonFiniteError, match="update 1: the policy loss is (inf|nan)"):
        ppo.update(rollout)


def test_update__refuses_rollouts_of_other_sizes():
    ppo = make()
    rollout = rollout_for(ppo)
    with pytest.raises(ValueError, match=r"expected \(U, 20\) observations, got \(30, 19\)"):
        ppo.update(dataclasses.replace(rollout, observations=rollout.observations[:, 1:].copy()))
    with pytest.raises(ValueError, match="expected actions of 0 to 10, got 11 to 11"):
        ppo.update(dataclasses.replace(rollout, actions=np.full_like(rollout.actions, 11)))
    masked = crude_rollout(ppo.actor_weights(), 0, masked=True)
    with pytest.raises(ValueError, match=r"expected \(M, 11\) masks, got \(5, 10\)"):
        ppo.update(dataclasses.replace(masked, masks=masked.masks[:, 1:].copy()))
    with pytest.raises(ValueError, match="expected at least 4 steps, one a minibatch, got 3"):
        make("default").update(rollout_for(ppo, num_steps=3, num_envs=1))


# Resuming


@pytest.mark.parametrize("preset", PRESETS)
def test_resume__goes_on_bit_for_bit(preset):
    whole = make(preset, total_updates=6)
    rollouts = [rollout_for(whole, seed) for seed in range(6)]
    for rollout in rollouts[:3]:
        whole.update(rollout)
    resumed = make(preset, total_updates=6, seed=99)
    resumed.load_state_dict(whole.state_dict())
    for rollout in rollouts[3:]:
        first, second = whole.update(rollout), resumed.update(rollout)
        assert dataclasses.replace(first, seconds=0.0) == dataclasses.replace(second, seconds=0.0)
    assert np.array_equal(parameters(whole), parameters(resumed))
    assert resumed.state_dict()["updates_done"] == 6


def test_state_dict__is_a_copy():
    ppo = make()
    state = ppo.state_dict()
    before = state["networks"]["actor.0.weight"].copy()
    ppo.update(rollout_for(ppo))
    assert np.array_equal(state["networks"]["actor.0.weight"], before)
    assert not state["optimizer"]["mean"].any()


def test_load_state_dict__refuses_another_learners_state():
    with pytest.raises(ValueError, match="the saved learner does not fit this configuration"):
        make().load_state_dict(make(hidden_sizes=(8, 8)).state_dict())
    state = make().state_dict()
    del state["generator"]
    with pytest.raises(ValueError, match="the saved learner lacks 'generator'"):
        make().load_state_dict(state)


# Starting from another learner


OTHER_ORDER = np.eye(5, dtype=np.float32)[[4, 3, 2, 1, 0]].reshape(-1)


def trained(updates=3, **settings):
    ppo = make("default", **settings)
    for seed in range(updates):
        ppo.update(rollout_for(ppo, seed))
    return ppo


def test_start_from__takes_the_weights_and_keeps_the_own_order():
    other = trained(order=OTHER_ORDER, seed=5)
    ppo = make("default", seed=9)
    ppo.start_from(other.state_dict())
    mine, theirs = ppo.state_dict(), other.state_dict()
    for name, weights in theirs["networks"].items():
        assert np.array_equal(mine["networks"][name], weights) == (name != "order"), name
    assert np.array_equal(mine["networks"]["order"], ORDER)
    assert mine["value_scale"] == theirs["value_scale"]
    same_order = make("default", order=OTHER_ORDER)
    same_order.start_from(other.state_dict())
    bits = rollout_for(other).observations
    assert np.array_equal(same_order.values(bits), other.values(bits))
    assert not np.array_equal(ppo.values(bits), other.values(bits))


def test_start_from__learns_on_as_a_new_learner_does():
    state = trained(order=OTHER_ORDER, seed=5).state_dict()
    ppo = make("default", seed=9)
    new = make("default", seed=9).state_dict()
    ppo.start_from(state)
    started = ppo.state_dict()
    assert started["optimizer"]["num_steps"] == 0
    assert not started["optimizer"]["mean"].any() and not started["optimizer"]["square"].any()
    assert np.array_equal(started["generator"]["key"], new["generator"]["key"])
    assert ppo.state_dict()["updates_done"] == 0
    before = parameters(ppo)
    stats = ppo.update(rollout_for(ppo))
    assert stats.learning_rate == ppo.config.learning_rate
    assert not np.array_equal(parameters(ppo), before)
    saved = make("default")
    saved.start_from(state)  # what was learned since has not flowed back into the state
    assert np.array_equal(parameters(saved), before)


def test_start_from__fits_a_learner_that_reads_the_orders_bits_with_the_observation():
    universal = trained(order=None, size=(NUM_BITS + 25, NUM_ACTIONS))
    ppo = make("default", order=ORDER)
    ppo.start_from(universal.state_dict())
    bits = rollout_for(ppo).observations
    with_order = np.concatenate([bits, np.tile(ORDER.astype(np.uint8), (len(bits), 1))], axis=1)
    assert ppo.values(bits) == pytest.approx(universal.values(with_order), abs=1e-4)


def test_start_from__a_learner_that_knew_no_order_plays_on_as_it_did_whatever_the_order():
    free = trained(order=None)
    ppo = make("default", order=ORDER)
    ppo.start_from(free.state_dict())
    bits = rollout_for(free).observations
    assert np.array_equal(ppo.values(bits), free.values(bits))
    assert np.array_equal(ppo.actor_weights().weights, free.actor_weights().weights)
    before = parameters(ppo)
    ppo.update(rollout_for(ppo))
    assert not np.array_equal(parameters(ppo), before)


def test_start_from__refuses_what_does_not_fit_and_changes_nothing():
    ppo = make()
    before = parameters(ppo)
    with pytest.raises(ValueError, match=r"expected actor.0.weight of shape \(16, 45\), got \(8, 45\)"):
        ppo.start_from(make(hidden_sizes=(8, 8)).state_dict())
    with pytest.raises(ValueError, match=r"expected critic.0.weight of shape \(16, 45\), got \(16, 44\)"):
        state = make().state_dict()
        state["networks"]["critic.0.weight"] = state["networks"]["critic.0.weight"][:, 1:]
        ppo.start_from(state)
    for part in ("networks", "value_scale"):
        state = make(seed=3).state_dict()
        del state[part]
        with pytest.raises(ValueError, match=f"the saved learner lacks '{part}'"):
            ppo.start_from(state)
    assert np.array_equal(parameters(ppo), before)
    ppo.update(rollout_for(ppo))
    with pytest.raises(ValueError, match="expected a new learner, got one with updates_done 1"):
        ppo.start_from(make().state_dict())
