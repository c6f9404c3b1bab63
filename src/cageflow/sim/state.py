"""The record of one environment, and how it begins."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.scenario import Network, RedAgent
from cageflow.scenario.masks import mask_type
from cageflow.sim.enums import Draw, Outcome, Tape

Array = npt.NDArray[Any]

SESSION_ORDER_BITS = 31  # of how many user-level sessions on a host the age order is kept


def table_fields(hosts: np.dtype[Any]) -> list[tuple[str, np.dtype[Any]]]:
    """Fields of a record that hold a table of blue's: see `observation`.

    Args:
        hosts: type of a host mask.
    """
    return [(f"{what}_{end}", hosts) for what in ("activity", "belief") for end in ("low", "high")]


def crew_fields(network: Network) -> list[Any]:
    """Fields of a record that hold what of blue's is under way: see `crews`."""
    crews = network.scenario.crews
    return [("num_busy", np.int8), ("crew_action", np.int16, (crews,)), ("crew_left", np.int16, (crews,))]


def state_dtype(network: Network) -> np.dtype:
    """Layout of one environment, under 512 bytes for CAGE-2. Masks hold one bit per host, port, subnet or decoy.

    Rules read fields through `int`, so that they run alike compiled and not. Loops are compiled for each layout.
    """
    h = len(network.hosts)
    hosts, ports, decoys = (mask_type(len(names)) for names in (network.hosts, network.ports, network.decoys))
    subnets, services = (mask_type(len(names)) for names in (network.subnets, network.services))
    return np.dtype(
        [
            ("rng", np.uint64),  # the environment's own random stream
            ("step", np.int32),  # steps done in this episode
            # The true state of the hosts. A red session is user-level or privileged; of the user-level ones blue
            # can remove those whose process it has seen.
            ("session_order", np.int32, (h,)),  # bit i: the i-th oldest user-level session is removable
            ("removable", np.int16, (h,)),  # user-level sessions whose process blue has seen
            ("stubborn", np.int16, (h,)),  # user-level sessions whose process blue has not seen
            ("privileged", np.int16, (h,)),
            ("decoys", decoys, (h,)),  # decoy mask
            ("decoy_ports", ports, (h,)),  # port mask of what they open
            ("num_decoys", np.int16, (h,)),  # processes; some decoys can be planted twice
            ("malware", hosts),  # hosts with files that Analyse finds
            ("restored", hosts),  # hosts that have been restored in this episode
            ("standing_cost", np.int32),  # what each step costs as things stand, in tenths: see `reward`
            ("stopped", hosts),  # hosts whose service does not run
            ("escalated_starts", np.int8, (h,)),  # of the user-level sessions that red began with
            # What is drawn for an episode, -1 before and where the settings say it.
            ("mixture_red", np.int8),  # RedAgent, of a mixture
            ("red_agent", np.int8),  # RedAgent, of two that attack
            ("rules", np.int8),  # 0 "v2.1", 1 "challenge"
            ("green", np.int8),  # whether it is awake
            ("switch_step", np.int32),  # from which on red_agent is another, 0 for none that is to come
            # What red knows and remembers.
            ("ports_seen", ports, (h,)),  # port mask
            ("known_hosts", hosts),  # by address: to be scanned and exploited
            ("known_names", hosts),  # by name: to be escalated and impacted
            ("known_subnets", subnets),
            ("known_services", services),  # those that red can stop, wherever they run
            ("b_line_stage", np.int8),
            ("b_line_first", np.int8),  # the first host it chose, -1 before
            ("b_line_reached_goal", np.int8),  # it has tried to exploit the goal
            ("swept", subnets),  # RedMeanderAgent: subnets it has swept
            ("scanned", hosts),  # hosts it has scanned
            ("exploited", hosts),  # hosts it holds to be exploited
            ("escalated", hosts),  # hosts it holds to be escalated
            ("owned_once", hosts),  # hosts whose exploit ever succeeded
            # What is under way.
            *crew_fields(network),
            ("red_left", np.int16),  # steps that red's action still takes after this one
            # What happened in the last step.
            ("red_kind", np.int8),
            ("red_target", np.int8),  # subnet for DISCOVER_REMOTE_SYSTEMS, else host; -1 for none
            ("red_valid", np.int8),  # 0 where red acted on what it does not know
            ("red_outcome", np.int8),
            ("blue_outcome", np.int8),
            ("exploit", np.int8),  # -1 where none was tried
            ("detected", np.int8),  # -1 where not drawn
            ("escalated_session", np.int8),  # -1 where not drawn
            ("green_scan", np.int8),  # -1 for none
            ("new_decoys", hosts),  # hosts on which blue has just planted one
            ("files_found", hosts),  # hosts on which blue has just found files
            ("green_connections", np.int16),  # seen on green_scan
            ("green_ports", ports),
            ("red_connections", np.int16),  # seen on red_target
            ("red_ports", ports),
            ("red_shell_seen", np.int8),
            *table_fields(hosts),  # what blue's table shows after the last step
            ("table", np.uint64, (-(-h // 16),)),  # the same in the order of the observation
            # A recording's say on the draws of the next step.
            ("forced", np.int8, (len(Draw),)),  # a value, NOT_DRAWN or FREE
            ("tape_fault", np.int8),  # a forced value was impossible, or a draw happened that was not to
        ],
        align=True,
    )


def initial_state(network: Network) -> Any:
    """One record as it stands at the start of an episode; only its random stream is still to be seeded."""
    s = np.zeros((), state_dtype(network))
    tables = network.tables
    s["privileged"], s["stubborn"] = tables["start_privileged"], tables["start_user"]
    s["standing_cost"] = tables["confidentiality"][tables["start_privileged"] > 0].sum()
    s["known_hosts"], s["known_subnets"] = tables["start_known"], tables["start_subnets"]
    s["b_line_first"] = s["red_agent"] = s["mixture_red"] = s["rules"] = s["green"] = -1
    s["known_names"] = tables["start_known"]
    s["red_valid"] = 1
    for name in ("red_target", "exploit", "detected", "escalated_session", "green_scan"):
        s[name] = -1
    s["red_outcome"] = s["blue_outcome"] = Outcome.UNKNOWN
    s["forced"] = Tape.FREE
    return s.view(np.recarray)[()]


def new_states(network: Network, num_envs: int) -> Array:
    """(B,) records at the start of an episode, all with the random stream of seed 0 until they are reset."""
    return np.full(num_envs, initial_state(network)).view(np.recarray)


PARAMS_DTYPE = np.dtype(
    [
        ("red_agent", np.int8),  # RedAgent
        ("green_awake", np.int8),
        ("scan_forgets", np.int8),  # a new port scan replaces what an earlier one of that host found
        ("restore_loses", np.int8),  # a restored host loses the properties in `lost_on_restore`
        ("rules_drawn", np.int8),  # both of these are drawn for each episode instead
        ("official_table", np.int8),  # blue's table as CybORG's own wrapper shows it
        ("max_steps", np.int32),
    ],
    align=True,
)


def make_params(
    red_agent: RedAgent = RedAgent.B_LINE,
    rules: str = "v2.1",
    observation: str = "corrected",
    max_steps: int = 100,
    green: bool = False,
) -> Any:
    """The settings of a run as the one record that the rules read.

    Args:
        red_agent: who plays red.
        rules: "v2.1", "challenge", or "mixed" where one of these is drawn for each episode.
        observation: "corrected" or "official".
        max_steps: steps of an episode.
        green: whether the green agent is awake.
    """
    params = np.zeros((), PARAMS_DTYPE)
    params["red_agent"] = red_agent
    params["green_awake"] = green
    params["scan_forgets"] = rules == "v2.1"
    params["restore_loses"] = rules == "challenge"
    params["rules_drawn"] = rules == "mixed"
    params["official_table"] = observation == "official"
    params["max_steps"] = max_steps
    return params.view(np.recarray)[()]
