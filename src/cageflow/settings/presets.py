"""The named sets of settings of a training: what an update is fed, and what the learner makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from cageflow.errors import UserError
from cageflow.learn.config import PPOConfig, check_count

MAX_EPISODES = 1_000_000
"""Of an update; beyond it no learning is known, or memory ends."""


SMALLEST, GROWTH = 25, 30
"""Episodes of the first update, and how many times an update must have been trained before it may be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutConfig:
    """What an update is fed.

    Attributes:
        episodes_per_update: whole episodes in one rollout.
        small_updates: the first updates have fewer, see `episodes_after`.
        mask_actions: blue leaves out the actions that it can know to be in vain.
        memory: its observations hold what it remembers beside its table.
        tell_rules: where the rules are drawn for each episode, its observations end in a bit that says which they are.

    Raises:
        UserError: a value out of its range.
    """

    episodes_per_update: int = 100
    small_updates: bool = False
    mask_actions: bool = True
    memory: bool = False
    tell_rules: bool = False

    def __post_init__(self) -> None:
        check_count("episodes_per_update", self.episodes_per_update, MAX_EPISODES)

    def episodes_after(self, trained: int) -> int:
        """Episodes of the update that follows on so many.

        With `small_updates` the largest number of SMALLEST, its double, its double again and so on that is no more than
        a GROWTH-th of what was trained, and SMALLEST before: a policy that knows nothing learns more from many updates
        than from exact ones. Only numbers that divide the whole update count, so that all its multiples are met.
        """
        whole = self.episodes_per_update
        if not self.small_updates or trained >= GROWTH * whole:
            return whole
        doubles = [SMALLEST << k for k in range(whole.bit_length()) if SMALLEST << k < whole]
        sizes = [size for size in doubles if whole % size == 0]
        return max((size for size in sizes if trained >= GROWTH * size), default=min(sizes, default=whole))


class Preset(NamedTuple):
    """Both together."""

    rollout: RolloutConfig = RolloutConfig()
    learner: PPOConfig = PPOConfig()


PRESETS: dict[str, Preset] = {
    "default": Preset(RolloutConfig(small_updates=True)),
    "reference": Preset(
        RolloutConfig(episodes_per_update=200, mask_actions=False),
        PPOConfig(
            hidden_sizes=(64, 64),
            activation="tanh",
            orthogonal_init=False,
            learning_rate=2e-3,
            final_learning_rate=None,
            adam_betas=(0.9, 0.99),
            adam_eps=1e-8,
            gamma=0.99,
            gae_lambda=None,
            bootstrap_truncation=False,
            norm_values=False,
            norm_adv=False,
            clip_coef=0.2,
            ent_coef=0.01,
            final_ent_coef=None,
            vf_coef=0.5,
            max_grad_norm=None,
            target_kl=None,
            num_minibatches=1,
            update_epochs=6,
        ),
    ),
    "champion": Preset(
        RolloutConfig(episodes_per_update=200, memory=True),
        PPOConfig(learning_rate=6e-3, episode_lengths=(30, 50, 100)),
    ),
    "universal": Preset(learner=PPOConfig(learning_rate=1e-3, final_learning_rate=1e-4)),
}
"""`reference`: the learner of the earlier prototype, detail by detail. `default`: what the field knows to be better.
`champion`: for a policy with a memory that plays the challenge's protocol. `universal`: `default` with smaller steps,
for a policy of all orders, of which each update meets only a few."""


def find_preset(name: str, changes: Mapping[str, Any] | None = None) -> Preset:
    """The settings of a preset, some of them replaced.

    Raises:
        UserError: an unknown preset or setting, or a value that cannot be used.
    """
    if name not in PRESETS:
        raise UserError(f"unknown preset {name!r}: choose one of {', '.join(sorted(PRESETS))}")
    rollout, learner = PRESETS[name]
    wanted = {field.name: str(field.type) for part in (rollout, learner) for field in fields(part)}
    for setting, value in (changes or {}).items():
        if setting not in wanted:
            raise UserError(f"unknown PPO setting {setting!r}: choose from {', '.join(sorted(wanted))}")
        _check_type(setting, value, wanted[setting])
    return Preset(replace(rollout, **_of(rollout, changes)), replace(learner, **_of(learner, changes)))


def _of(part: RolloutConfig | PPOConfig, changes: Mapping[str, Any] | None) -> dict[str, Any]:
    """The changes that a part has fields for."""
    return {field.name: changes[field.name] for field in fields(part) if changes and field.name in changes}


def _check_type(name: str, value: Any, wanted: str) -> None:
    """Refuse a value read from a file whose type is not the field's annotation `wanted`."""
    if wanted.startswith("tuple"):
        right = isinstance(value, list | tuple) and all(_is_number(item) for item in value)
    elif wanted.startswith("float"):
        right = _is_number(value) or (value is None and wanted.endswith("None"))
    elif wanted == "int":
        right = isinstance(value, int) and not isinstance(value, bool)
    elif wanted == "bool":
        right = isinstance(value, bool)
    else:
        right = isinstance(value, str)
    if not right:
        raise UserError(f"PPO setting {name} is {value!r}: expected {wanted}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
