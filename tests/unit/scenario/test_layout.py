"""The map of a network: all within it, nothing over anything else, subnets in the order in which red reaches them."""

from itertools import combinations

import pytest

from cageflow.scenario.layout import MOST_STRETCH, Layout, Place, Sizes, groups_of, lay_out
from cageflow.scenario.named import load_network

SIZES = Sizes(card_width=100, card_height=60, gutter=8, pad=6, title=24)


def overlap(one: Place, other: Place) -> bool:
    (left, top, right, bottom), (left_2, top_2, right_2, bottom_2) = one.box(), other.box()
    return left <= right_2 and left_2 <= right and top <= bottom_2 and top_2 <= bottom


def check_apart(layout: Layout, groups: list[tuple[str, list[str]]]) -> None:
    assert list(layout.panels) == [subnet for subnet, _ in groups]
    assert list(layout.cards) == [host for _, hosts in groups for host in hosts]
    for places in (layout.panels, layout.cards):
        assert not any(overlap(one, other) for one, other in combinations(places.values(), 2))
        assert all(place.left >= 0 and place.left + place.width <= layout.width for place in places.values())
        assert all(place.top >= 0 and place.top + place.height <= layout.height for place in places.values())
    for subnet, hosts in groups:
        panel = layout.panels[subnet]
        for host in hosts:
            card = layout.cards[host]
            assert panel.left < card.left and card.left + card.width < panel.left + panel.width
            assert panel.top + SIZES.title <= card.top and card.top + card.height < panel.top + panel.height


@pytest.mark.parametrize("columns", [2, 3, 5, 8])
@pytest.mark.parametrize("sizes", [(1,), (1, 1), (4, 4, 5), (2, 3, 1, 1, 6), (40,), (15, 4, 5, 7, 4, 5), (4,) * 15])
def test_cards__are_apart_within_their_panel_and_at_least_as_wide_as_asked(
    sizes: tuple[int, ...], columns: int
) -> None:
    groups = [(f"subnet {s}", [f"host {s} {i}" for i in range(size)]) for s, size in enumerate(sizes)]
    layout = lay_out(groups, columns, SIZES)
    check_apart(layout, groups)
    widths = [card.width for card in layout.cards.values()]
    assert min(widths) >= SIZES.card_width and max(widths) <= MOST_STRETCH * SIZES.cell


def test_planted_fault__two_cards_in_one_place_are_seen() -> None:
    groups = [("here", ["a", "b"])]
    layout = lay_out(groups, 3, SIZES)
    with pytest.raises(AssertionError):
        check_apart(layout._replace(cards=dict.fromkeys(layout.cards, layout.cards["a"])), groups)


def test_subnets__stand_in_the_order_in_which_red_reaches_them() -> None:
    orders = {name: [subnet for subnet, _ in groups_of(load_network(name).scenario)] for name in ("cage2", "clinic")}
    assert orders["cage2"] == ["User", "Enterprise", "Operational"]
    assert orders["clinic"] == ["Offices", "Wards", "Records", "Imaging", "Devices"]
    scenario = load_network("plant").scenario
    assert [subnet for subnet, _ in groups_of(scenario)] == ["Office", "DMZ", "Operations", "Control"]


def test_map__is_as_low_as_it_can_be_and_every_shelf_as_wide_as_it() -> None:
    groups = groups_of(load_network("cage2").scenario)
    assert [len({panel.top for panel in lay_out(groups, n, SIZES).panels.values()}) for n in (2, 3, 6)] == [2, 1, 1]
    groups = groups_of(load_network("campus").scenario)
    layout = lay_out(groups, 8, SIZES)
    assert layout.height == 2 * SIZES.title + 6 * SIZES.row + 3 * SIZES.gutter  # 2 rows of rooms, 4 of all others
    ends = {max(p.left + p.width for p in layout.panels.values() if p.top == top) for top in (8, 8 + 24 + 132 + 8)}
    assert ends == {layout.width - SIZES.gutter}
