"""What every environment says of its games: the network, what the numbers of actions mean, how long an episode is."""

from __future__ import annotations

from gymnasium.envs.registration import EnvSpec

from cageflow.envs.episode_length import spec_with_length
from cageflow.scenario import ActionCodec, Network, RedCodec


class ShowsNetwork:
    """An environment whose games are on a network.

    Attributes:
        network: that is played.
    """

    network: Network

    @property
    def codec(self) -> ActionCodec:
        """What the numbers of blue's actions mean."""
        return self.network.codec

    @property
    def red_codec(self) -> RedCodec:
        """What the numbers of red's actions mean."""
        return self.network.red_codec


class ForBlue(ShowsNetwork):
    """An environment that is given blue's actions."""

    @property
    def action_names(self) -> tuple[str, ...]:
        """(A,) names of the actions, such as "Remove User1"."""
        return self.codec.names

    def describe_action(self, action: int) -> str:
        """What an action does, in one sentence.

        Raises:
            UserError: the number is out of range.
        """
        return self.codec.describe(action)


class ForRed(ShowsNetwork):
    """An environment that is given red's actions."""

    @property
    def action_names(self) -> tuple[str, ...]:
        """(R,) names of the actions, such as "exploit User1"."""
        return self.red_codec.names

    def describe_action(self, action: int) -> str:
        """What an action does, in one sentence.

        Raises:
            UserError: the number is out of range.
        """
        return self.red_codec.describe(action)


class MadeByMakeVec:
    """A vector environment whose episodes have `_max_steps`."""

    _max_steps: int
    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """What `gymnasium.make_vec` made it of, the length of an episode included; None where it was made otherwise."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = spec_with_length(spec, self._max_steps)
