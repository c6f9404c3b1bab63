"""Order spaces: names, numbers, distances and codes, against numbers worked by hand."""

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.scenario.orders import (
    OrderSpace,
    file_order,
    format_order,
    log_order,
    print_order,
    read_order,
    show_order,
)
from tests.helpers.orders import ALL_ORDERS, ORDERS, ids, kendall_matrix, order_id

FIRST = "defender,enterprise,op_server,op_host,user"
EIGHT = OrderSpace(tuple("abcdefgh"))


def test_a_space__has_all_permutations_in_lexicographic_order():
    assert len(ORDERS) == len(set(ALL_ORDERS)) == 120
    assert ALL_ORDERS[0] == ids(0, 1, 2, 3, 4) == tuple(FIRST.split(","))
    assert ALL_ORDERS[1] == ids(0, 1, 2, 4, 3)
    assert ALL_ORDERS[24] == ids(1, 0, 2, 3, 4)
    assert ALL_ORDERS[119] == ids(4, 3, 2, 1, 0)
    rows = ORDERS.permutations.tolist()
    assert rows == sorted(rows)
    assert not ORDERS.permutations.flags.writeable


@pytest.mark.parametrize(("num_types", "size"), [(1, 1), (2, 2), (3, 6), (6, 720), (8, 40_320)])
def test_a_space__of_n_types_has_n_factorial_orders(num_types, size):
    space = OrderSpace(tuple("abcdefgh"[:num_types]))
    assert len(space) == len(space.permutations) == size
    for number in {0, 1, size // 3, size - 1} & set(range(size)):
        order = space.unrank(number)
        assert order == tuple(space.unit_types[i] for i in space.permutations[number])
        assert space.rank(order) == number
    assert space.unrank(size - 1) == tuple(reversed(space.unit_types))


@pytest.mark.parametrize("wrong", [(), tuple("abcdefghi"), ("a", "b", "a")])
def test_a_space__refuses_types_that_cannot_be_put_in_order(wrong):
    with pytest.raises(UserError, match="expected 1 to 8 different ones"):
        OrderSpace(wrong)
    with pytest.raises(UserError, match="'a > c' names 'c', which is no unit type|is no order"):
        OrderSpace(("a", "b"), {"wrong": ("a", "c")})


def test_rank__is_the_place_among_all():
    assert [order_id(order) for order in ALL_ORDERS] == list(range(120))
    assert [ORDERS.unrank(number) for number in range(120)] == list(ALL_ORDERS)
    assert order_id(list(ids(0, 1, 2, 4, 3))) == 1


@pytest.mark.parametrize("bad", [ids(0, 1, 2, 3), ids(0, 1, 2, 3, 3), ("a",), (*ids(0, 1, 2, 3, 4), "user"), ()])
def test_rank__refuses_what_is_no_permutation(bad):
    with pytest.raises(UserError, match="is no order: give each of defender, enterprise, "):
        order_id(bad)
    assert bad not in ORDERS


def test_of_ranked__is_the_space_in_which_an_order_has_that_number():
    for space in (ORDERS, OrderSpace(("z", "a", "m")), OrderSpace(("only",))):
        for number, order in enumerate(space):
            assert OrderSpace.of_ranked(order, number) == space
    with pytest.raises(UserError, match="'6' is no order's number"):
        OrderSpace.of_ranked(("a", "b", "c"), 6)


def test_neighbours__swap_two_types_that_stand_next_to_each_other():
    assert ORDERS.neighbours(ids(0, 1, 2, 3, 4)) == (
        ids(1, 0, 2, 3, 4),
        ids(0, 2, 1, 3, 4),
        ids(0, 1, 3, 2, 4),
        ids(0, 1, 2, 4, 3),
    )
    assert all(ORDERS.distance(ALL_ORDERS[77], other) == 1 for other in ORDERS.neighbours(ALL_ORDERS[77]))
    assert OrderSpace(("only",)).neighbours(("only",)) == ()


def test_features__are_the_places_of_the_types():
    features = ORDERS.features()
    assert features.shape == (120, 5)
    # Order 24 is enterprise, defender, then the rest: defender stands second, enterprise first.
    assert features[24].tolist() == [1, 0, 2, 3, 4]
    assert EIGHT.features()[-1].tolist() == [7, 6, 5, 4, 3, 2, 1, 0]


def test_parse_and_format__round_trip_over_all_orders():
    texts = [format_order(order) for order in ALL_ORDERS]
    assert len(set(texts)) == 120
    assert tuple(ORDERS.parse(text) for text in texts) == ALL_ORDERS
    assert texts[0] == FIRST


def test_parse__reads_priority_from_left_to_right_and_ignores_blanks():
    assert ORDERS.parse(" user, op_host ,op_server,enterprise, defender ") == ids(4, 3, 2, 1, 0)
    assert ORDERS.parse("op_server,defender,enterprise,op_host,user") == ids(2, 0, 1, 3, 4)


@pytest.mark.parametrize(
    "given",
    [
        "user > op_host > op_server > enterprise > defender",
        "user>op_host>op_server>enterprise>defender",
        "user,op_host,op_server,enterprise,defender",
        "user \N{RIGHTWARDS ARROW} op_host \N{RIGHTWARDS ARROW} op_server \N{RIGHTWARDS ARROW} enterprise, defender",
        "119",
        " 119 ",
        119,
        np.int64(119),
        ["user", "op_host", "op_server", "enterprise", "defender"],
        [4, 3, 2, 1, 0],
        np.array([4, 3, 2, 1, 0]),
    ],
)
def test_parse__reads_every_way_of_writing_an_order(given):
    assert ORDERS.parse(given) == ids(4, 3, 2, 1, 0)


def test_parse__reads_what_is_shown_the_numbers_and_the_names():
    assert [ORDERS.parse(show_order(order)) for order in ALL_ORDERS] == list(ALL_ORDERS)
    assert [ORDERS.parse(str(number)) for number in range(120)] == list(ALL_ORDERS)
    assert {name: ORDERS.parse(name) for name in ORDERS.named} == dict(ORDERS.named)
    assert show_order(ids(4, 3, 2, 1, 0)) == "user > op_host > op_server > enterprise > defender"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "defender,enterprise,op_server,op_host,printer",
            "'defender > enterprise > op_server > op_host > printer' names 'printer', which is no unit type",
        ),
        ("user>user,user,op_host,defender", "'user > user > user > op_host > defender' names 'user' 3 times"),
        ("user,user,op_host", "'user > user > op_host' names 'user' twice"),
        ("defender, enterprise, op_server", "'defender > enterprise > op_server' lacks 'op_host' and 'user'"),
        ("user", "'user' lacks 'defender' and 'enterprise' and 'op_server' and 'op_host'"),
        ("", "'' is empty"),
        (" , >", "'' is empty"),
        ("Defender", "'Defender' is no order"),
        (FIRST + ",", f"'{' > '.join([*FIRST.split(','), ''])}' names '', which is no unit type"),
        ("120", "'120' is no order's number"),
        ("-1", "'-1' is no order's number"),
        ("9" * 5000, f"'{'9' * 77}...' is no order's number"),
        ("x" * 5000, f"'{'x' * 77}...' is no order"),
    ],
)
def test_parse__refuses_in_one_sentence(text, what):
    with pytest.raises(UserError) as refusal:
        ORDERS.parse(text)
    assert str(refusal.value) == (
        f"workflow {what}: give each of defender, enterprise, op_server, op_host, user once, as a > b > c or a,b,c; "
        "or a number from 0 to 119; or one of critical-first, enterprise-focus, user-priority, operational-focus, "
        "balanced, reverse"
    )


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        (ids(0, 1, 2, 3, 4), ids(0, 1, 2, 3, 4), 0),
        (ids(0, 1, 2, 3, 4), ids(1, 0, 2, 3, 4), 1),  # the pair 0-1
        (ids(0, 1, 2, 3, 4), ids(4, 0, 1, 2, 3), 4),  # 4 against each of the others
        (ids(0, 1, 2, 3, 4), ids(2, 1, 0, 3, 4), 3),  # 0-1, 0-2, 1-2
        (ids(0, 1, 2, 3, 4), ids(4, 1, 2, 3, 0), 7),  # 0 and 4 against the three between (6) and each other (1)
        (ids(0, 1, 2, 3, 4), ids(4, 3, 2, 1, 0), 10),
        (ids(2, 0, 1, 4, 3), ids(0, 2, 1, 3, 4), 2),  # 0-2 and 3-4
        # Ranks of types, not places of indices: (1,2,0,..) and (0,1,2,..) differ in 0-1 and 0-2.
        (ids(1, 2, 0, 3, 4), ids(0, 1, 2, 3, 4), 2),
    ],
)
def test_kendall_distance__as_counted_by_hand(a, b, distance):
    assert ORDERS.distance(a, b) == distance
    assert ORDERS.distance(b, a) == distance


def test_distance__is_that_of_the_places_for_all_orders():
    matrix = kendall_matrix()
    assert [ORDERS.distance(ALL_ORDERS[17], other) for other in ALL_ORDERS] == matrix[17].tolist()
    counts = [1, 4, 9, 15, 20, 22, 20, 15, 9, 4, 1]  # the Mahonian numbers
    assert all(np.bincount(row, minlength=11).tolist() == counts for row in matrix)
    with pytest.raises(UserError, match="is no order"):
        ORDERS.distance(ALL_ORDERS[0], ("a", "b"))


def test_encode_order__is_one_hot_and_position_major():
    code = ORDERS.encode(ids(2, 0, 1, 4, 3))
    assert code.dtype == np.float32
    assert code.shape == (25,)
    # Position 0 holds type 2, position 1 type 0, position 2 type 1, position 3 type 4, position 4 type 3.
    assert np.flatnonzero(code).tolist() == [2, 5 + 0, 10 + 1, 15 + 4, 20 + 3]
    assert set(code.tolist()) == {0.0, 1.0}


def test_encode_order__tells_all_orders_apart_and_can_be_read_back():
    codes = np.stack([ORDERS.encode(order) for order in ALL_ORDERS])
    assert len(np.unique(codes, axis=0)) == 120
    assert [ids(*code.reshape(5, 5).argmax(axis=1)) for code in codes] == list(ALL_ORDERS)


def test_encode_order__gives_a_new_array_each_time():
    ORDERS.encode(ALL_ORDERS[3])[:] = 7.0
    assert ORDERS.encode(ALL_ORDERS[3]).sum() == 5.0


def test_an_order__is_spelled_for_files_tables_names_terminals_and_pages():
    order = ("user", "op host", "enterprise")
    assert format_order(order) == "user,op host,enterprise"
    assert log_order(order) == "user>op host>enterprise"
    assert file_order(order) == "user-op host-enterprise"
    assert file_order(("../a/b", "[/x]", "c:\\d")) == ".._a_b-[/x]-c__d".replace("[/x]", "__x_")
    assert len(file_order(["\N{LATIN SMALL LETTER U WITH DIAERESIS}" * 80] * 2).encode()) == 160
    assert show_order(order) == "user > op host > enterprise"
    assert print_order(order) == "user \N{RIGHTWARDS ARROW} op host \N{RIGHTWARDS ARROW} enterprise"


def test_read_order__reads_what_files_and_tables_have():
    for order in (("only",), ("user", "op host", "enterprise")):
        assert read_order(format_order(order)) == read_order(log_order(order)) == order


def test_file_name__is_one_for_each_order():
    assert len({ORDERS.file_name(order) for order in ALL_ORDERS}) == 120
    assert ORDERS.file_name(ALL_ORDERS[17]) == "017_defender-op_host-user-op_server-enterprise"
