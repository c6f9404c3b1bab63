"""One environment whose rules a test calls one by one, with names in place of indexes."""

from typing import Any

import numpy as np

from cageflow.scenario import Network, RedAgent, RedKind, default_network
from cageflow.sim import blue, red_actions
from cageflow.sim.batch import reset_batch
from cageflow.sim.enums import Draw, Tape
from cageflow.sim.observation import belief, observe, set_belief, unpack
from cageflow.sim.state import make_params, new_states
from cageflow.sim.step import step

RED_KINDS = {
    "Sleep": RedKind.SLEEP,
    "DiscoverRemoteSystems": RedKind.DISCOVER_REMOTE_SYSTEMS,
    "DiscoverNetworkServices": RedKind.DISCOVER_NETWORK_SERVICES,
    "ExploitRemoteService": RedKind.EXPLOIT_REMOTE_SERVICE,
    "PrivilegeEscalate": RedKind.PRIVILEGE_ESCALATE,
    "Impact": RedKind.IMPACT,
}


def recount(s, net):
    """Work out what each step costs from what red holds and what is down, for a state put together by hand."""
    s.standing_cost = 0
    for host in range(s.privileged.shape[0]):
        is_down = int(s.stopped) >> host & 1
        s.standing_cost += int(net.confidentiality[host]) * int(s.privileged[host] > 0)
        s.standing_cost += int(net.availability[host]) * is_down


class Lab:
    """An environment at the start of an episode.

    Attributes:
        network: what it plays on.
        params: the run's settings.
        s: its record, to be read and written.
    """

    def __init__(
        self,
        red: RedAgent = RedAgent.SLEEP,
        rules: str = "v2.1",
        observation: str = "corrected",
        green: bool = False,
        network: Network | None = None,
        seed: int = 0,
    ) -> None:
        self.network = default_network() if network is None else network
        self.params = make_params(red, rules, observation, 100, green)
        self.states: Any = new_states(self.network, 1)
        reset_batch(self.states, new_states(self.network, 1), np.array([seed], np.uint64))
        self.s = self.states[0]

    def host(self, name: str) -> int:
        return self.network.hosts.index(name)

    def hosts(self, mask: int) -> set[str]:
        """The names behind a host mask."""
        return {name for i, name in enumerate(self.network.hosts) if int(mask) >> i & 1}

    def ports(self, mask: int) -> set[int]:
        """The ports behind a port mask."""
        return {port for i, port in enumerate(self.network.ports) if int(mask) >> i & 1}

    def exploit(self, name: str) -> int:
        return self.network.exploits.index(name)

    def force(self, **draws: int | str) -> None:
        """Force draws by name: `red_target` and `green_scan` hosts, `exploit`, `detection`, `session`; others free."""
        self.s.forced[:] = Tape.FREE
        for name, value in draws.items():
            if isinstance(value, str):
                value = self.exploit(value) if name == "exploit" else self.host(value)
            self.s.forced[Draw[name.upper()]] = value

    def blue(self, action: str) -> int:
        """Blue acts; the cost in tenths."""
        return int(blue.act(self.s, self.network.tables, self.network.codec.encode(action)))

    def red(self, kind: str, target: str | None = None, **draws: int | str) -> int:
        """Red acts, whatever its agent would have chosen; the outcome."""
        self.force(**draws)
        self.s.red_kind = RED_KINDS[kind]
        names = self.network.subnets if kind == "DiscoverRemoteSystems" else self.network.hosts
        self.s.red_target = -1 if target is None else names.index(target)
        red_actions.act(self.s, self.network.tables, self.params)
        return int(self.s.red_outcome)

    def scan_and_exploit(self, host: str, exploit: str, detection: int = 1) -> int:
        """Red scans a host and tries one exploit on it; the outcome of the second."""
        self.red("DiscoverNetworkServices", host)
        return self.red("ExploitRemoteService", host, exploit=exploit, detection=detection)

    def see(self) -> dict[str, str]:
        """Blue looks: the four bits of each host, low bit first, of those that are not all zero."""
        observe(self.s, self.params)
        return self.bits()

    def step(self, action: str = "Sleep", **draws: int | str) -> tuple[float, dict[str, str]]:
        """A whole step: the reward, and what blue sees as `see` says it."""
        self.force(**draws)
        recount(self.s, self.network.tables)  # tests put sessions and services as they like
        number = self.network.codec.encode(action)
        tenths = step(self.s, self.network.tables, self.params, number)
        return tenths / 10, self.bits()

    def bits(self) -> dict[str, str]:
        """Blue's table as it stands: the four bits of each host of which not all are zero."""
        table = np.empty(self.network.num_observations, np.uint8)
        unpack(self.s, table)
        rows = {name: "".join(map(str, table[4 * i : 4 * i + 4])) for i, name in enumerate(self.network.hosts)}
        return {name: bits for name, bits in rows.items() if bits != "0000"}

    def believes(self, host: str) -> int:
        """What blue believes of a host, as a number of `Compromise`."""
        return int(belief(self.s, self.host(host)))

    def believe(self, host: str, compromise: int) -> None:
        """Let blue believe something of a host."""
        set_belief(self.s, self.host(host), int(compromise))

    def sessions(self, host: str) -> tuple[int, int, int]:
        """Removable, stubborn and privileged sessions of red on a host."""
        i = self.host(host)
        return int(self.s.removable[i]), int(self.s.stubborn[i]), int(self.s.privileged[i])

    def snapshot(self) -> dict[str, Any]:
        """A copy of every field."""
        return {name: np.copy(self.s[name]) for name in self.states.dtype.names}

    def changed(self, before: dict[str, Any]) -> set[str]:
        """The fields that differ from a snapshot."""
        return {name for name, value in before.items() if not np.array_equal(value, self.s[name])}


def same(states: Any, others: Any) -> bool:
    """Whether records are equal in every field; the bytes between fields may hold anything."""
    return all(np.array_equal(states[name], others[name]) for name in states.dtype.names)
