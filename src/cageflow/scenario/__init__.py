"""The network as data: a YAML file, its schema, the tables that the rules read, and the action codecs."""

from cageflow.scenario.actions import ActionCodec
from cageflow.scenario.enums import BlueKind, ExploitEffect, RedAgent, RedKind
from cageflow.scenario.identity import NetworkIdentity
from cageflow.scenario.named import NETWORK_NAMES, load_network
from cageflow.scenario.network import Network, default_network, is_cage2
from cageflow.scenario.red_codec import RedCodec
from cageflow.scenario.schema import Scenario, load_scenario
from cageflow.scenario.unit_types import UNIT_TYPES

__all__ = [
    "NETWORK_NAMES",
    "UNIT_TYPES",
    "ActionCodec",
    "BlueKind",
    "ExploitEffect",
    "Network",
    "NetworkIdentity",
    "RedAgent",
    "RedCodec",
    "RedKind",
    "Scenario",
    "default_network",
    "is_cage2",
    "load_network",
    "load_scenario",
]
