"""A trained policy: the actor, what it was trained for, and how to ask it for actions."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from cageflow.envs.options import RULES
from cageflow.errors import UserError
from cageflow.learn.config import ACTIVATIONS
from cageflow.learn.inference import Actor, Layers, pack_weights
from cageflow.scenario import Network, NetworkIdentity, default_network
from cageflow.scenario.durations import KINDS
from cageflow.scenario.identity import action_set_of
from cageflow.scenario.orders import Order, OrderSpace, format_order, read_order
from cageflow.scenario.schema import Durations
from cageflow.sim.recall import num_inputs
from cageflow.workflow.compliance import WorkflowMode

ANY_WORKFLOW: Final = "any"
"""What the card of a universal policy says for its workflow."""
ENFORCED: Final = "enforced"
MODES: Final = get_args(WorkflowMode)
"""How a policy is brought to follow its order."""
RED: Final = "red"
SIDES: Final = ("blue", RED)
LEARNED: Final = "learned"
"""What the card of a policy that plays red says for the red agent of its games: itself."""

_MEMORY_ROWS = 65_536  # distinct observations that a policy remembers, 76 MB with 145 actions


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCard:
    """What a policy is and where it comes from.

    Attributes:
        workflow: the order it was trained for, as `workflow.format_order` writes it; ANY_WORKFLOW for a universal
            policy, which is told the order; None for plain PPO.
        rules: rule set of the game it was trained in.
        red_agent: its opponent in training; LEARNED where it plays red itself.
        observation: the kind of observation it reads.
        max_steps: length of its training episodes.
        preset: preset of the learner.
        activation: one of `config.ACTIVATIONS`.
        mask_actions: whether it must be given action masks.
        memory: whether it reads what blue remembers beside its table.
        alignment: how its fixes were judged in training, and what it was paid for complying; empty for plain PPO.
        training_episodes: episodes it has learned from.
        perturbed_starts: share of them that began after steps in which blue slept or played at random.
        green_share: share of them in which green was awake, drawn for each; None where `green` says it for all.
        red_mixture: share of them by red agent, drawn for each; empty where `red_agent` says it for all.
        network: that it was trained on; None in files of versions that did not say.
        action_set: what its action numbers mean, as `Network.action_set`; None likewise.
        sizes: of its inputs and outputs, those of `made_for`; empty likewise.
        durations: steps that actions took in its training, by kind, hosts with their own aside; empty likewise.
        crews: that blue had; None likewise.
        green: whether the green agent was awake in the game; None likewise.
        workflow_mode: "rewarded", or "enforced": it must be given masks that keep its order.
        side: whom it plays, one of SIDES.
        blue_agent: the opponent in training of a policy that plays red; None of any other.
    """

    workflow: str | None
    rules: str
    red_agent: str
    observation: str
    max_steps: int
    preset: str
    activation: str
    mask_actions: bool = False
    memory: bool = False
    alignment: Mapping[str, float | str | bool] = field(default_factory=dict)
    training_episodes: int = 0
    perturbed_starts: float = 0.0
    green_share: float | None = None
    red_mixture: Mapping[str, float] = field(default_factory=dict)
    network: NetworkIdentity | None = None
    action_set: str | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    durations: Mapping[str, int] = field(default_factory=dict)
    crews: int | None = None
    green: bool | None = None
    workflow_mode: str = "rewarded"
    side: str = "blue"
    blue_agent: str | None = None

    @property
    def is_enforced(self) -> bool:
        """Whether masks keep the order that it follows."""
        return self.workflow is not None and self.workflow_mode == ENFORCED

    @property
    def is_masked(self) -> bool:
        """Whether it must be given masks, of whatever kind."""
        return self.mask_actions or self.is_enforced

    @property
    def is_told_rules(self) -> bool:
        """Whether it was trained for both rule sets and reads which of them it plays: see `Policy.for_rules`."""
        return self.sizes.get("rules", 0) > 0

    @property
    def kept_order(self) -> Order | None:
        """The order that masks keep, as the network's unit types; None where there is none, or it is yet to be told."""
        return read_order(self.workflow) if self.is_enforced and self.workflow not in (None, ANY_WORKFLOW) else None

    @property
    def orders(self) -> OrderSpace:
        """The orders of the network that it was made for, none by name; CAGE-2's where the card does not say."""
        return default_network().orders if self.network is None else OrderSpace(self.network.unit_types)

    def to_json(self) -> dict[str, Any]:
        """The card as plain data for `json.dump`."""
        network = None if self.network is None else self.network.to_json()
        mappings = {name: dict(getattr(self, name)) for name in ("alignment", "red_mixture", "sizes", "durations")}
        return {**asdict(self), **mappings, "network": network}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "PolicyCard":
        """Read what `to_json` wrote, also before there were policies with a memory, and cards that name a network.

        Raises:
            UserError: an entry is missing, unknown or of the wrong type; the message starts with the entry.
        """
        data = {**_ADDED_LATER, **data}
        names = {entry.name for entry in fields(cls)}
        for name in sorted(names ^ data.keys()):
            raise UserError(f"'{name}' is {'missing' if name in names else 'unknown'}")
        for name, (wanted, words) in _CARD_TYPES.items():
            value = data[name]
            if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
                raise UserError(f"'{name}' is {value!r}, expected {words}")
        if data["activation"] not in ACTIVATIONS:
            raise UserError(f"'activation' is {data['activation']!r}, expected one of {', '.join(ACTIVATIONS)}")
        if data["workflow_mode"] not in MODES:
            raise UserError(f"'workflow_mode' is {data['workflow_mode']!r}, expected one of {', '.join(MODES)}")
        if data["side"] not in SIDES:
            raise UserError(f"'side' is {data['side']!r}, expected one of {', '.join(SIDES)}")
        if not all(name in SIZES and type(size) is int for name, size in data["sizes"].items()):
            raise UserError(f"'sizes' is {data['sizes']!r}, expected whole numbers for {', '.join(SIZES)}")
        if data["durations"]:
            check_durations(data["durations"])
        network = None if data["network"] is None else NetworkIdentity.from_json(data["network"])
        return cls(**{**data, "network": network})


_CARD_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "workflow": ((str, type(None)), "a workflow order or null"),
    "rules": ((str,), "a name"),
    "red_agent": ((str,), "a name"),
    "observation": ((str,), "a name"),
    "max_steps": ((int,), "a whole number"),
    "preset": ((str,), "a name"),
    "activation": ((str,), "a name"),
    "mask_actions": ((bool,), "true or false"),
    "memory": ((bool,), "true or false"),
    "alignment": ((dict,), "names and values"),
    "training_episodes": ((int,), "a whole number"),
    "perturbed_starts": ((float, int), "a share"),
    "green_share": ((float, int, type(None)), "a share or null"),
    "red_mixture": ((dict,), "names and shares"),
    "action_set": ((str, type(None)), "hexadecimal digits or null"),
    "sizes": ((dict,), "names and whole numbers"),
    "durations": ((dict,), "names and whole numbers"),
    "crews": ((int, type(None)), "a whole number or null"),
    "green": ((bool, type(None)), "true, false or null"),
    "workflow_mode": ((str,), "a name"),
    "side": ((str,), "a name"),
    "blue_agent": ((str, type(None)), "a name or null"),
}
_ADDED_LATER: dict[str, Any] = {
    "perturbed_starts": 0.0,
    "green_share": None,
    "red_mixture": {},
    "memory": False,
    "network": None,
    "action_set": None,
    "sizes": {},
    "durations": {},
    "crews": None,
    "green": None,
    "workflow_mode": "rewarded",
    "side": "blue",
    "blue_agent": None,
}
"""What files say that were written before there were these entries."""

SIZES: Final = ("table", "recalled", "rules", "order", "actions")
"""Bits of blue's table, of what blue remembers, of which rules it plays and of an order's code that a policy reads; and
how many actions it has. One that is not told its rules has no entry for them.

Of a policy that plays red the table is what red knows.
"""


def check_durations(data: Mapping[str, Any]) -> Durations:
    """The durations of a card.

    Raises:
        UserError: they are none.
    """
    try:
        return Durations(**data)
    except ValidationError:
        raise UserError(f"'durations' is {data!r}, expected whole numbers for {', '.join(KINDS)}") from None


def made_for(network: Network, *, memory: bool, ordered: bool, tells_rules: bool = False) -> dict[str, Any]:
    """The entries of a `PolicyCard` that say which network it belongs to.

    Args:
        network: that it is trained on.
        memory: whether it reads what blue remembers.
        ordered: whether it is told an order.
        tells_rules: whether it is told which of the rules it plays.
    """
    sizes = {
        "table": network.num_observations,
        "recalled": num_inputs(network, memory=memory) - network.num_observations,
        **({"rules": 1} if tells_rules else {}),
        "order": len(network.unit_types) ** 2 if ordered else 0,
        "actions": len(network.codec),
    }
    return {
        "network": network.identity,
        "action_set": network.action_set,
        "sizes": sizes,
        "durations": network.scenario.durations.model_dump(),
        "crews": network.scenario.crews,
    }


def red_made_for(network: Network) -> dict[str, Any]:
    """The same of a policy that plays red: it reads what red knows, and knows nothing of blue's durations."""
    return {
        "network": network.identity,
        "action_set": action_set_of(network.red_codec.names),
        "sizes": {"table": network.num_red_observations, "recalled": 0, "order": 0, "actions": len(network.red_codec)},
        "durations": network.scenario.durations.model_dump(),
        "crews": network.scenario.crews,
    }


class Policy:
    """An actor that can be asked for actions; needs no torch.

    A universal policy is told the order in the last bits of each observation. `for_order` gives what it is for one
    order, and that is a policy like any other.

    Args:
        card: what it is.
        layers: its layers. The inputs of the first are the observation bits, then the order's code if there is one.
        order_encoding: (D,) float32 code of the workflow order; None for plain PPO and for a universal policy.

    Raises:
        ValueError: layers that do not fit one another or the code.
    """

    def __init__(self, card: PolicyCard, layers: Layers, order_encoding: NDArray[np.float32] | None = None) -> None:
        _check_layers(layers)
        num_order = 0 if order_encoding is None else order_encoding.shape[0]
        self.card = card
        self.layers = layers
        self.order_encoding = order_encoding
        self.num_observations = layers[0][0].shape[1] - num_order
        self.num_actions = layers[-1][0].shape[0]
        if self.num_observations < 1:
            raise ValueError(f"expected more than the order's {num_order} inputs, got {layers[0][0].shape[1]}")
        self._weights = pack_weights(layers, card.activation, order_encoding)
        self._actor = Actor(self._weights, masked=card.is_masked)

    @property
    def is_universal(self) -> bool:
        """Whether it follows whatever order it is told."""
        return self.card.workflow == ANY_WORKFLOW

    def for_order(self, order: Order) -> "Policy":
        """This policy as one that follows an order, with the observations of the game alone.

        Raises:
            UserError: it was trained for another order, or for none.
        """
        workflow = format_order(order)
        if self.is_universal:
            return Policy(replace(self.card, workflow=workflow), self.layers, self.card.orders.encode(order))
        if self.card.workflow != workflow:
            raise UserError(f"it follows {self.card.workflow or 'no workflow'}, but {workflow} is wanted here")
        return self

    def for_rules(self, rules: str) -> "Policy":
        """This policy as one that plays by one of RULES, with the observations of the game alone; itself if told none.

        Raises:
            UserError: it is to be told, and the rules are none of RULES: those of its game are drawn.
        """
        if not self.card.is_told_rules:
            return self
        if rules not in RULES:
            raise UserError(f"it is told which rules it plays, and {rules} says none: give {' or '.join(RULES)}")
        sizes = {name: size for name, size in self.card.sizes.items() if name != "rules"}
        code = rules_code(rules)
        told = code if self.order_encoding is None else np.concatenate([code, self.order_encoding])
        return Policy(replace(self.card, rules=rules, sizes=sizes), self.layers, told)

    def act(
        self,
        observations: NDArray[Any],
        *,
        deterministic: bool = False,
        rng: np.random.Generator | None = None,
        masks: NDArray[np.uint8] | None = None,
    ) -> NDArray[np.int64]:
        """Choose an action for each observation.

        Args:
            observations: (B, F) of 0 and 1, any type.
            deterministic: take the likeliest action instead of drawing one.
            rng: source of the draws, one uniform number per observation; needed unless `deterministic`.
            masks: (B, A) uint8, 1 for allowed; given if and only if the card says `is_masked`.

        Returns:
            (B,) int64.

        Raises:
            ValueError: a wrong shape, values other than 0 and 1, no `rng`, or masks missing or not expected.
        """
        bits = self._bits(observations)
        if deterministic:
            return self.best(bits, masks)
        if rng is None:
            raise ValueError("expected rng: a stochastic policy draws from it")
        return self.draw(bits, rng.random((bits.shape[0],)), masks)

    def best(self, bits: NDArray[np.uint8], masks: NDArray[np.uint8] | None = None) -> NDArray[np.int64]:
        """(B,) int64, the likeliest actions, for (B, F) of 0 and 1 that nobody checks; masks as for `act`."""
        self._make_room(bits.shape[0])
        return self._actor.best(bits, masks)

    def draw(
        self, bits: NDArray[np.uint8], uniforms: NDArray[np.float64], masks: NDArray[np.uint8] | None = None
    ) -> NDArray[np.int64]:
        """The same, drawn by (B,) float64 numbers in [0, 1)."""
        num_envs = bits.shape[0]
        self._make_room(num_envs)
        actions = np.empty(num_envs, np.int64)
        self._actor.act(bits, uniforms, actions, np.empty(num_envs, np.float32), np.empty(num_envs, np.int32), masks)
        return actions

    def log_probs(self, observations: NDArray[Any]) -> NDArray[np.float32]:
        """(B, F) observations to the (B, A) float32 log-probabilities of all actions, masks aside.

        They are logits too: their softmax is the policy.
        """
        bits = self._bits(observations)
        self._make_room(bits.shape[0])
        return self._actor.log_probs(bits)

    def _make_room(self, num_envs: int) -> None:
        """Forget all observations where so many new ones might be too many."""
        if self._actor.num_observations + num_envs > _MEMORY_ROWS:
            self._actor.start(self._weights)

    def _bits(self, observations: NDArray[Any]) -> NDArray[np.uint8]:
        if observations.ndim != 2 or observations.shape[1] != self.num_observations:
            raise ValueError(f"expected (B, {self.num_observations}) observations, got {observations.shape}")
        bits = observations.astype(np.uint8, copy=False)
        if not ((bits == observations) & (bits <= 1)).all():
            raise ValueError("expected observations of 0 and 1, got other values")
        return bits


def rules_code(rules: str) -> NDArray[np.float32]:
    """(1,) float32, how a policy is told which of RULES it plays."""
    return np.array([RULES.index(rules)], np.float32)


def _check_layers(layers: Layers) -> None:
    """Refuse layers that are no chain of products."""
    if not layers:
        raise ValueError("expected at least one layer, got none")
    num_inputs = layers[0][0].shape[-1]
    for number, (weight, bias) in enumerate(layers):
        if weight.ndim != 2 or weight.shape[1] != num_inputs or bias.shape != weight.shape[:1]:
            raise ValueError(
                f"expected layer {number} with {num_inputs} inputs and as many biases as outputs, "
                f"got weight {weight.shape} and bias {bias.shape}"
            )
        num_inputs = weight.shape[0]
