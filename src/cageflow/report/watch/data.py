"""What the player shows, as plain data: the network, its map in several widths, and the episodes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cageflow.analysis.replay import EVICTED, Replay
from cageflow.report.network.facts import wall_words
from cageflow.scenario import BlueKind, Network, RedKind
from cageflow.scenario.layout import Layout, Sizes, groups_of, lay_out
from cageflow.scenario.orders import Order
from cageflow.scenario.reach import guards_of
from cageflow.scenario.red_codec import RED_WORDS

SIZES = Sizes(card_width=98, card_height=84, gutter=6, pad=5, title=26)
COLUMNS = (2, 3, 4, 5, 6, 7, 8, 10, 12)
"""Of the maps, of which the player takes the one that fits the window."""


def watch_data(
    network: Network, replays: Sequence[Replay], order: Order | None, *, green: bool, alone: bool
) -> dict[str, Any]:
    """What the player reads.

    Args:
        network: that was played.
        replays: the episodes.
        order: the workflow that fixes were judged by.
        green: whether the green agent was awake.
        alone: whether the page holds nothing else, so that every key is the player's.
    """
    return {
        "network": _network(network),
        "layouts": _layouts(network),
        "order": None if order is None else list(order),
        "green": green,
        "alone": alone,
        "red_words": {int(kind): word for kind, word in RED_WORDS.items()},
        "exploit": int(RedKind.EXPLOIT_REMOTE_SERVICE),
        "fixes": [int(BlueKind.REMOVE), int(BlueKind.RESTORE)],
        "evicted": EVICTED,
        "episodes": [replay.to_json() for replay in replays],
    }


def data_text(data: dict[str, Any]) -> str:
    """The data as JSON that can stand in a `script` of a page, whatever names there are in it."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _network(network: Network) -> dict[str, Any]:
    scenario = network.scenario
    home = scenario.hosts[scenario.red.start].subnet
    subnets = []
    for name in network.subnets:
        guards = guards_of(scenario, name, home)
        places = None if guards is None else [network.hosts.index(guard) for guard in guards]
        subnets.append({"name": name, "guards": places, "wall": wall_words(network, name)})
    hosts = [
        {
            "name": name,
            "type": network.unit_types.index(host.unit_type),
            "subnet": network.subnets.index(host.subnet),
            "worth": scenario.values[host.confidentiality],
            "service": host.service,
            "start": name == scenario.red.start,
            "goal": name == scenario.red.goal,
        }
        for name, host in scenario.hosts.items()
    ]
    return {
        "name": scenario.name,
        "types": list(network.unit_types),
        "decoys": list(network.decoys),
        "subnets": subnets,
        "hosts": hosts,
    }


def _layouts(network: Network) -> list[dict[str, Any]]:
    """The maps, narrow ones first; a column more than a map has hosts would leave it as it is."""
    groups = groups_of(network.scenario)
    possible = [columns for columns in COLUMNS if columns <= max(len(network.hosts), COLUMNS[0])]
    return [_places(network, lay_out(groups, columns, SIZES)) for columns in possible]


def _places(network: Network, layout: Layout) -> dict[str, Any]:
    """Left, top, width and height of panels and cards, by index; null for a subnet without hosts."""
    return {
        "width": layout.width,
        "height": layout.height,
        "panels": [layout.panels.get(subnet) for subnet in network.subnets],
        "cards": [layout.cards[host] for host in network.hosts],
    }
