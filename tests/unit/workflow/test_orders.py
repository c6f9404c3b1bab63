"""Workflow orders: names, ids, distances and codes, against numbers worked by hand."""

import numpy as np
import pytest

from cageflow.errors import UserError
from cageflow.workflow import (
    ALL_ORDERS,
    CANONICAL_ORDERS,
    KENDALL_MATRIX,
    encode_order,
    format_order,
    kendall_distance,
    order_id,
    parse_order,
    show_order,
)

FIRST = "defender,enterprise,op_server,op_host,user"


def test_all_orders__are_the_120_permutations_in_lexicographic_order():
    assert len(set(ALL_ORDERS)) == 120
    assert list(ALL_ORDERS) == sorted(ALL_ORDERS)
    assert all(sorted(order) == [0, 1, 2, 3, 4] for order in ALL_ORDERS)
    assert ALL_ORDERS[0] == (0, 1, 2, 3, 4)
    assert ALL_ORDERS[1] == (0, 1, 2, 4, 3)
    assert ALL_ORDERS[24] == (1, 0, 2, 3, 4)
    assert ALL_ORDERS[119] == (4, 3, 2, 1, 0)


def test_order_id__is_the_place_in_all_orders():
    assert [order_id(order) for order in ALL_ORDERS] == list(range(120))
    assert order_id([0, 1, 2, 4, 3]) == 1
    assert order_id(np.array([4, 3, 2, 1, 0])) == 119


@pytest.mark.parametrize("bad", [(0, 1, 2, 3), (0, 1, 2, 3, 3), (0, 1, 2, 3, 5), (0, 1, 2, 3, 4, 4), ()])
def test_order_id__refuses_what_is_no_permutation(bad):
    with pytest.raises(UserError) as refusal:
        order_id(bad)
    assert str(refusal.value) == f"{bad} is no workflow order: it must hold each of 0 to 4 exactly once"


def test_parse_and_format__round_trip_over_all_orders():
    texts = [format_order(order) for order in ALL_ORDERS]
    assert len(set(texts)) == 120
    assert tuple(parse_order(text) for text in texts) == ALL_ORDERS
    assert texts[0] == FIRST


def test_parse__reads_priority_from_left_to_right_and_ignores_blanks():
    assert parse_order(" user, op_host ,op_server,enterprise, defender ") == (4, 3, 2, 1, 0)
    assert parse_order("op_server,defender,enterprise,op_host,user") == (2, 0, 1, 3, 4)


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
    assert parse_order(given) == (4, 3, 2, 1, 0)


def test_parse__reads_what_is_shown_the_numbers_and_the_names():
    assert [parse_order(show_order(order)) for order in ALL_ORDERS] == list(ALL_ORDERS)
    assert [parse_order(str(number)) for number in range(120)] == list(ALL_ORDERS)
    assert {name: parse_order(name) for name in CANONICAL_ORDERS} == CANONICAL_ORDERS
    assert show_order((4, 3, 2, 1, 0)) == "user > op_host > op_server > enterprise > defender"


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
        parse_order(text)
    assert str(refusal.value) == (
        f"workflow {what}: give each of defender, enterprise, op_server, op_host, user once, as a > b > c or a,b,c; "
        "or a number from 0 to 119; or one of critical-first, enterprise-focus, user-priority, operational-focus, "
        "balanced, reverse"
    )


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ((0, 1, 2, 3, 4), (0, 1, 2, 3, 4), 0),
        ((0, 1, 2, 3, 4), (1, 0, 2, 3, 4), 1),  # the pair 0-1
        ((0, 1, 2, 3, 4), (4, 0, 1, 2, 3), 4),  # 4 against each of the others
        ((0, 1, 2, 3, 4), (2, 1, 0, 3, 4), 3),  # 0-1, 0-2, 1-2
        ((0, 1, 2, 3, 4), (4, 1, 2, 3, 0), 7),  # 0 and 4 against the three between (6) and each other (1)
        ((0, 1, 2, 3, 4), (4, 3, 2, 1, 0), 10),
        ((2, 0, 1, 4, 3), (0, 2, 1, 3, 4), 2),  # 0-2 and 3-4
        # Ranks of types, not places of indices: (1,2,0,..) and (0,1,2,..) differ in 0-1 and 0-2.
        ((1, 2, 0, 3, 4), (0, 1, 2, 3, 4), 2),
    ],
)
def test_kendall_distance__as_counted_by_hand(a, b, distance):
    assert kendall_distance(a, b) == distance
    assert kendall_distance(b, a) == distance


def test_kendall_matrix__is_a_metric_on_the_orders():
    matrix = KENDALL_MATRIX.astype(int)
    assert matrix.shape == (120, 120)
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 0).all()
    assert (matrix[~np.eye(120, dtype=bool)] > 0).all()
    assert matrix.max() == 10
    # d(a, c) <= d(a, b) + d(b, c) for all 120^3 triples.
    assert (matrix[:, None, :] <= matrix[:, :, None] + matrix[None, :, :]).all()


def test_kendall_matrix__counts_orders_by_distance_as_the_mahonian_numbers():
    counts = [1, 4, 9, 15, 20, 22, 20, 15, 9, 4, 1]
    for row in KENDALL_MATRIX:
        assert np.bincount(row, minlength=11).tolist() == counts


def test_kendall_matrix__cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        KENDALL_MATRIX[0, 0] = 1


def test_encode_order__is_one_hot_and_position_major():
    code = encode_order((2, 0, 1, 4, 3))
    assert code.dtype == np.float32
    assert code.shape == (25,)
    # Position 0 holds type 2, position 1 type 0, position 2 type 1, position 3 type 4, position 4 type 3.
    assert np.flatnonzero(code).tolist() == [2, 5 + 0, 10 + 1, 15 + 4, 20 + 3]
    assert set(code.tolist()) == {0.0, 1.0}


def test_encode_order__tells_all_orders_apart_and_can_be_read_back():
    codes = np.stack([encode_order(order) for order in ALL_ORDERS])
    assert len(np.unique(codes, axis=0)) == 120
    assert [tuple(code.reshape(5, 5).argmax(axis=1).tolist()) for code in codes] == list(ALL_ORDERS)


def test_encode_order__gives_a_new_array_each_time():
    encode_order(ALL_ORDERS[3])[:] = 7.0
    assert encode_order(ALL_ORDERS[3]).sum() == 5.0
