"""A network file that cannot be played is refused with its name, the line, the place and what was expected."""

from importlib.resources import files

import pytest

from cageflow.errors import UserError
from cageflow.scenario import Network, load_scenario

SHIPPED = files("cageflow.scenario").joinpath("cage2.yaml").read_text(encoding="utf-8")
MANY_PORTS = list(range(1000, 1062))
HOSTS = "Defender, Enterprise0, Enterprise1"
EXTRA = "{os: linux, subnet: User, unit_type: user, confidentiality: low, reveals: [Enterprise0], processes: *gateway}"

# What is replaced in the shipped file, by what, and what the refusal says of the place and of what was expected.
FAULTS = {
    "key missing": ("name: CAGE Challenge 2, Scenario2", "", "name: expected this key, which is missing"),
    "key unknown": ("restore_cost:", "restore_price: 1\nrestore_cost:", "restore_price: expected no such key, got 1"),
    "key unknown in a host": ("  User2:\n", "  User2:\n    color: red\n", "hosts.User2.color: expected no such key"),
    "key given twice": ("restore_cost: 1.0", "guesses: 3", "expected each key once, got guesses again"),
    "host given twice": ("  User2:\n", "  User1:\n", "expected each key once, got User1 again"),
    "host without content": ("User2:\n", "User2: null\n  User5:\n", "hosts.User2: expected keys and values, got None"),
    "host name a number": ("  Op_Host2:\n", "  7:\n", "hosts: expected a name, got 7, which YAML reads as a number"),
    "system unknown": ("    os: windows", "    os: beos", "os: expected 'windows' or 'linux', got 'beos'"),
    "worth unknown": (
        "confidentiality: none",
        "confidentiality: huge",
        "a level of `values` among high, low",
    ),
    "worth without a value": ("medium: 1.0, ", "", "hosts.Enterprise0.confidentiality: expected a level of `values`"),
    "availability unknown": ("availability: high", "availability: huge", "availability: expected a level of `values`"),
    "value no multiple of 0.1": ("low: 0.1", "low: 0.15", "values.low: expected a multiple of 0.1 from 0 to 1000"),
    "value negative": ("low: 0.1", "low: -0.1", "values.low: expected a multiple of 0.1 from 0 to 1000, got -0.1"),
    "value infinite": ("high: 10.0", "high: .inf", "values.high: expected a finite number, got inf"),
    "value not a number": ("high: 10.0", "high: .nan", "values.high: expected a finite number, got nan"),
    "value too large": ("high: 10.0", "high: 1000.1", "values.high: expected a multiple of 0.1 from 0 to 1000"),
    "cost in words": ("restore_cost: 1.0", "restore_cost: much", "restore_cost: expected a valid number, got 'much'"),
    "subnet unknown": ("subnet: User\n", "subnet: Users\n", "hosts.User0.subnet: expected a subnet among Enterprise"),
    "unit type unknown": ("unit_type: defender", "unit_type: boss", "expected a unit type among defender, enterprise"),
    "guard unknown": ("guarded_by: [Enterprise0", "guarded_by: [Door", f"guarded_by.0: expected a host among {HOSTS}"),
    "revealed host unknown": (
        "reveals: [Op_Server0]",
        "reveals: [Moon]",
        "hosts.Enterprise2.reveals.0: expected a host",
    ),
    "green host unknown": ("green_hosts: [User0", "green_hosts: [Moon", "green_hosts.0: expected a host among"),
    "start unknown": ("start: User0", "start: Moon", f"red.start: expected a host among {HOSTS}"),
    "foothold unknown": (
        "start: User0",
        "start: User0\n  footholds: [{host: Moon}]",
        "footholds.0.host: expected a",
    ),
    "known host unknown": ("start: User0", "start: User0\n  knows: [Moon]", "red.knows.0: expected a host among"),
    "guard against nothing": ("  User: {}", "  User: {guards_against: [Moon]}", "guards_against.0: expected a subnet"),
    "closed to nothing": ("  User: {}", "  User: {closed_to: [Moon]}", "subnets.User.closed_to.0: expected a subnet"),
    "goal without a service": (
        "goal: Op_Server0",
        "goal: Op_Host0",
        "red.goal: expected a host with a service (Op",
    ),
    "no service": ("    service: OTService\n", "", "expected a host with a service (none has one)"),
    "no goal": ("  goal: Op_Server0\n", "", "red.b_line: expected a way to red.goal, which is missing"),
    "hop unknown": ("to: [Enterprise2]", "to: [Moon]", "red.b_line.2.to.0: expected a host among"),
    "hop that is not found": (
        "to: [Enterprise2]",
        "to: [Op_Host0]",
        "b_line.2.to: expected a host in its subnet",
    ),
    "hop that is not revealed": (
        "    reveals: [Op_Server0]\n",
        "",
        "b_line.3.to: expected a host that it",
    ),
    "no way from a neighbour": (
        "    reveals: [Enterprise1]\n    processes:\n",
        "    processes:\n",
        "red.b_line.1.to: expected a host that it reveals for User2",
    ),
    "way that misses the goal": (
        "    - {to: [Op_Server0], by: reveal}\n",
        "",
        "red.b_line.2.to: expected the way to end at red.goal, Op_Server0",
    ),
    "way without a hop": (
        SHIPPED[SHIPPED.index("  b_line:\n") : SHIPPED.index("  # RedMeanderAgent: a f")],
        "  b_line: []\n",
        "red.b_line: expected at least 1 of them, got 0",
    ),
    "one unit type": (
        "unit_types: [defender, enterprise, op_server, op_host, user]",
        "unit_types: [user]",
        "unit_types: expected at least 2 of them, got 1",
    ),
    "too many unit types": (
        "unit_types: [defender, enterprise, op_server, op_host, user]",
        "unit_types: [a, b, c, d, e, f, g, h, i]",
        "unit_types: expected at most 8 of them, got 9",
    ),
    "unit type twice": (
        "op_host, user]\nworkflows",
        "op_host, user, user]\nworkflows",
        "unit_types.5: expected each unit type once, got user again",
    ),
    "workflow that lacks a type": (
        "critical-first: [defender, ",
        "critical-first: [",
        "workflows.critical-first: expected each unit type that a host has once: defender, enterprise",
    ),
    "retreat unknown": ("- [Op_Host0,", "- [Moon,", "red.meander_retreats.0.0: expected a host among"),
    "port too low": ("ports: [3390]", "ports: [0]", "processes.2.ports.0: expected greater than or equal to 1, got 0"),
    "port ephemeral": ("ports: [3390]", "ports: [49152]", "expected less than or equal to 49151, got 49152"),
    "port in words": ("ports: [3390]", "ports: [mysql]", "expected a valid integer, got 'mysql'"),
    "port a truth value": ("ports: [3390]", "ports: [true]", "expected a valid integer, got True"),
    "process without a port": ("ports: [3390]", "ports: []", "ports: expected at least 1 of them, got 0"),
    "too many ports": ("ports: [68]", f"ports: {MANY_PORTS}", "hosts: expected at most 63 different ports"),
    "too many ports to scan": ("scan_any: [80, 443]", f"scan_any: {MANY_PORTS}", "expected at most 63 different ports"),
    "too many hosts": (
        "  User2:\n",
        "".join(f"  Extra{i}: {EXTRA}\n" for i in range(51)) + "  User2:\n",
        "hosts: expected at most 63 of them, got 64",
    ),
    "too many subnets": (
        "  User: {}",
        "".join(f"  Extra{i}: {{}}\n" for i in range(14)) + "  User: {}",
        "subnets: expected at most 16 of them, got 17",
    ),
    "too many decoys": (
        "  DecoyVsftpd:",
        "".join(f"  Decoy{i}: {{service: x, port: 9, type: x}}\n" for i in range(9)) + "  DecoyVsftpd:",
        "decoys: expected at most 16 of them, got 17",
    ),
    "weight twice": ("weight: 2.0", "weight: 1.0", "exploits.BlueKeep.weight: expected a different weight for each"),
    "weight zero": ("weight: 2.0", "weight: 0", "exploits.EternalBlue.weight: expected greater than 0, got 0"),
    "exploit without a port": ("scan_all: [22]", "scan_all: []", "scan_all: expected at least 1 of them, got 0"),
    "technique unknown": ("technique: ssh", "technique: telnet", "expected 'reverse_shell' or 'ssh', got 'telnet'"),
    "probability above one": ("favourite_probability: 0.75", "favourite_probability: 1.5", "less than or equal to 1"),
    "too few guesses": ("guesses: 10", "guesses: 2", "guesses: expected greater than or equal to 3, got 2"),
    "property unknown": (
        "[old_haraka]\n\n",
        "[haraka]\n\n",
        "lost_on_restore.0: expected a property that a process has",
    ),
    "decoy named as an action": ("DecoyTomcat:", "Restore:", "expected a name that no other action of blue has"),
    "decoy that no exploit falls for": (
        "{service: tomcat, port: 443, type: webserver, properties: [rfi]}",
        "{service: tomcat, port: 443, type: webserver}",
        "decoys.DecoyTomcat.properties: expected rfi, or HTTPSRFI would not fall for it",
    ),
    "decoy of the wrong system": (
        "{service: smss, port: 139, type: smb, os: windows}",
        "{service: smss, port: 139, type: smb}",
        "decoys.DecoySmss.os: expected windows, or EternalBlue would not fall for it",
    ),
}


def write(tmp_path, text):
    path = tmp_path / "network.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def line_of(text, what):
    return text[: text.index(what)].count("\n") + 1


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_file__is_refused_with_its_name_the_line_the_place_and_what_was_expected(fault, tmp_path):
    old, new, says = FAULTS[fault]
    assert old in SHIPPED
    path = write(tmp_path, SHIPPED.replace(old, new, 1))
    with pytest.raises(UserError) as refusal:
        load_scenario(path)
    message = str(refusal.value)
    assert message.startswith(f"{path}, line ")
    assert says in message
    assert "\n" not in message
    assert len(message) - len(str(path)) < 320


@pytest.mark.parametrize(
    ("fault", "line_with"),
    [
        ("value infinite", "values:"),
        ("cost in words", "restore_cost:"),
        ("unit type unknown", "unit_type: boss"),
        ("revealed host unknown", "reveals: [Moon]"),
        ("port too low", "ports: [0]"),
        ("key unknown in a host", "color: red"),
        ("hop unknown", "to: [Moon]"),
        ("technique unknown", "technique: telnet"),
    ],
)
def test_line__is_where_the_fault_stands(fault, line_with, tmp_path):
    old, new, _ = FAULTS[fault]
    text = SHIPPED.replace(old, new, 1)
    with pytest.raises(UserError, match=rf"network\.yaml, line {line_of(text, line_with)}: "):
        load_scenario(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hosts: [", "line 1: expected YAML"),
        ("name: a\n\tb: c", "line 2: expected YAML (found character"),
        ("a: &x {b: *x}\n", "line 1: it is nested deeper than 32, its aliases written out"),
        ("a: 1\n? [1]\n: 3\n", "line 2: expected text as a key"),
        ("", "line 1: the whole file: expected keys such as name, values, unit_types"),
        ("- a\n- b\n", "line 1: the whole file: expected keys such as name"),
        ("a: &x [*x]\n", "nested deeper than 32, its aliases written out"),
    ],
)
def test_file_that_is_no_network_at_all__is_refused(text, says, tmp_path):
    with pytest.raises(UserError) as refusal:
        load_scenario(write(tmp_path, text))
    assert says in str(refusal.value)


def test_file_that_cannot_be_read__is_refused(tmp_path):
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    for path in (tmp_path / "none.yaml", tmp_path, binary):
        with pytest.raises(UserError, match="expected a readable YAML file"):
            load_scenario(path)


def test_start_without_neighbours__cannot_be_swept(tmp_path):
    alone = SHIPPED.replace("  User: {}", "  User: {}\n  Lonely: {}").replace("subnet: User\n", "subnet: Lonely\n", 1)
    with pytest.raises(UserError, match=r"red\.b_line\.0\.to: expected a host in its subnet for User0"):
        load_scenario(write(tmp_path, alone))


def test_shipped_file__is_what_is_loaded_by_default(tmp_path):
    assert load_scenario() == load_scenario(write(tmp_path, SHIPPED))


def test_shipped_file__compiles_without_a_decoy(tmp_path):
    start, end = SHIPPED.index("decoys:\n"), SHIPPED.index("restore_cost:")
    network = Network(load_scenario(write(tmp_path, SHIPPED[:start] + "decoys: {}\n\n" + SHIPPED[end:])))
    assert len(network.codec) == 2 + 13 * 3
    assert not network.tables["exploit_traps"].any()
