"""Names in a network file: which are taken, which are refused, and at which line."""

import re

import pytest

from cageflow.errors import UserError
from cageflow.scenario import Network, load_scenario
from cageflow.scenario.actions import ActionCodec
from cageflow.scenario.names import ambiguous_actions

SMALL = """\
name: two hosts
values: {none: 0.0, low: 0.1, medium: 1.0, high: 10.0}
subnets:
  Lan: {}
hosts:
  Desk:
    os: linux
    subnet: Lan
    unit_type: user
    confidentiality: low
    reveals: [Safe]
    processes:
      - {name: sshd, type: ssh, user: root, ports: [22], properties: [weak]}
  Safe:
    os: linux
    subnet: Lan
    unit_type: op_server
    confidentiality: low
    brute_forceable: pi
    service: Vault
    reveals: [Safe]
    processes:
      - {name: sshd, type: ssh, user: root, ports: [22]}
exploits:
  Guess: {weight: 1.0, port: 22, type: ssh, property: weak, scan_all: [22]}
favourite_probability: 0.75
detection_probability: 0.95
guesses: 10
decoys:
  Trap: {service: sshd, port: 22, type: ssh, properties: [weak]}
  Honeypot: {service: httpd, port: 80, type: web}
restore_cost: 1.0
red:
  start: Desk
  goal: Safe
  b_line: [{to: [Safe], by: sweep}]
  meander_retreats:
    - [Safe]
green_hosts: [Desk]
"""
TAKEN = [
    *(
        "User 1",
        "web.corp",
        "'",
        '"',
        "a'b\"c",
        "<b>&amp;</b>",
        "$x_1$",
        "$",
        "#1",
        "a, b > c",
        "a:b",
        "- x",
        "{x}",
        "%s",
    ),
    *(
        "Zürich",
        "東京",
        "\\",
        "[key]",
        "No",
        "on",
        "null",
        "~",
        "7",
        "1e3",
        "2026-01-01",
        "Honeypot",
        "Decoy",
        "x" * 80,
    ),
    *("Sleep", "=", "<<", "*a", "&a", "!x", "|", "hosts.User1", "0"),
]
REFUSED = {
    "empty": ('""', "expected a name of 1 to 80 characters, got 0"),
    "too long": ("x" * 81, "expected a name of 1 to 80 characters, got 81"),
    "two blanks": ('"a  b"', "expected a name with no blank at its ends and no two in a row, got 'a  b'"),
    "blank at the end": ('"a "', "no blank at its ends and no two in a row, got 'a '"),
    "line break": (r'"a\nb"', r"expected a name of visible characters and plain blanks, got 'a\nb'"),
    "tab": (r'"a\tb"', r"visible characters and plain blanks, got 'a\tb'"),
    "escape": (r'"\e[31m"', r"visible characters and plain blanks, got '\x1b[31m'"),
    "hard blank": (r'"a\_b"', r"visible characters and plain blanks, got 'a\xa0b'"),
    "letters from right to left": (r'"a\u202eb"', r"visible characters and plain blanks, got 'a\u202eb'"),
    "letters taken apart": (r'"u\u0308"', r"composed letters (Unicode NFC), got 'u\u0308'"),
    "truth value": ("No", "got No, which YAML reads as a truth value unless it stands in quotes"),
    "number": ("0x1F", "got 0x1F, which YAML reads as a number unless it stands in quotes"),
    "large number": ("1e3", "got 1e3, which YAML reads as a number unless it stands in quotes"),
    "nothing": ("~", "got ~, which YAML reads as nothing unless it stands in quotes"),
}


def refusal_of(text, tmp_path):
    path = tmp_path / "network.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as refusal:
        load_scenario(path)
    message = str(refusal.value)
    assert message.startswith(f"{path}, line ")
    assert message.isprintable()
    line, _, sentence = message.removeprefix(f"{path}, line ").partition(": ")
    return int(line), sentence


def in_quotes(name):
    return "'" + name.replace("'", "''") + "'"


def line_of(text, what):
    return text[: text.index(what)].count("\n") + 1


@pytest.mark.parametrize("name", TAKEN)
def test_name__of_anything_is_taken_as_it_is_written(name, tmp_path):
    text = SMALL
    for old in ("two hosts", "Lan", "Desk", "pi", "Vault", "weak", "Guess", "Honeypot", "httpd", "ssh", "sshd", "root"):
        if (name, old) != ("Sleep", "Honeypot"):  # no decoy may have the name of another action
            text = re.sub(rf"(?<=[ \[]){old}(?=[],:\n])", lambda _: in_quotes(name), text)
    network = Network(load_scenario(_write(text, tmp_path)))
    assert text.count(in_quotes(name)) >= 18
    assert network.hosts == (name, "Safe")
    assert network.exploits == network.subnets == (name,)
    assert [network.codec.encode(words) for words in network.codec.names] == list(range(2 + 2 * 5))


@pytest.mark.parametrize("why", REFUSED)
@pytest.mark.parametrize(
    ("old", "place"),
    [
        ("  Desk:\n", "hosts"),
        ("  Lan: {}\n", "subnets"),
        ("  Guess: {weight", "exploits"),
        ("  Honeypot: {service", "decoys"),
        ("    service: Vault\n", "hosts.Safe.service"),
        ("  start: Desk\n", "red.start"),
        ("name: two hosts\n", "name"),
    ],
)
def test_name__that_cannot_be_typed_back_is_refused_at_its_line(why, old, place, tmp_path):
    written, says = REFUSED[why]
    key, colon, rest = old.partition(":")
    is_key = not place.endswith(key.strip())
    indent = old[: len(old) - len(old.lstrip())]
    new = f"{indent}{written}{colon}{rest}" if is_key else f"{key}: {written}\n"
    if why == "nothing" and place == "hosts.Safe.service":
        return  # a host without a service
    line, sentence = refusal_of(SMALL.replace(old, new, 1), tmp_path)
    assert says in sentence
    assert sentence.startswith(place)
    assert line == line_of(SMALL, old)


@pytest.mark.parametrize("host", ["web.corp", "a.b.c", "User 1", "7", "[key]", "x: y", "@", "hosts"])
def test_fault__in_a_host_of_any_name_is_found_at_its_line(host, tmp_path):
    named = re.sub(r"(?<=[ \[])Desk(?=[]:\n])", lambda _: in_quotes(host), SMALL)
    body = named[named.index(f"  {in_quotes(host)}:\n") :]
    for old, new, fault in [
        ("unit_type: user", "unit_type: boss", "expected a unit type among"),
        ("reveals: [Safe]", "reveals: [Moon]", "expected a host among"),
        ("subnet: Lan\n", "subnet: Wan\n", "expected a subnet among"),
        ("os: linux", "os: beos", "expected 'windows' or 'linux', got 'beos'"),
        ("os: linux", "oss: linux", "expected this key, which is missing"),
    ]:
        text = named.replace(body, body.replace(old, new, 1))
        line, sentence = refusal_of(text, tmp_path)
        assert fault in sentence
        stands = new if "missing" not in fault else f"  {in_quotes(host)}:\n"
        assert line == line_of(text, f"  {in_quotes(host)}:\n") + body[: body.index(old)].count("\n") * (stands == new)


def test_fault__in_a_list_or_in_what_is_merged_is_found_at_its_line(tmp_path):
    text = SMALL.replace("green_hosts: [Desk]", "green_hosts: [\n  Desk,\n  Moon]")
    line, sentence = refusal_of(text, tmp_path)
    assert (line, sentence[:15]) == (line_of(text, "Moon"), "green_hosts.1: ")
    text = SMALL.replace("  Desk:\n    os: linux\n", "  Desk:\n    <<: {os: linux,\n      service: 7}\n")
    line, sentence = refusal_of(text, tmp_path)
    assert (line, sentence[:19]) == (line_of(text, "service: 7"), "hosts.Desk.service:")


@pytest.mark.parametrize(
    ("hosts", "decoys", "reads_twice"),
    [
        (["B C", "C"], ["A", "A B"], [("A B", "A B C")]),
        (["x", "y x"], ["Remove y"], [("Remove y", "Remove y x")]),
        (["x"], ["Restore"], [("Restore", "Restore x")]),
        (["B C", "C"], ["A", "A-B"], []),
    ],
)
def test_decoy__whose_action_reads_as_another_is_found(hosts, decoys, reads_twice):
    assert list(ambiguous_actions(hosts, decoys)) == reads_twice
    assert bool(reads_twice) == (len(set(ActionCodec.build(hosts, decoys).names)) < 2 + len(hosts) * (3 + len(decoys)))


def test_decoy__whose_action_reads_as_another_is_refused(tmp_path):
    text = re.sub(r"\bSafe\b", "pot Desk", SMALL).replace("  Trap:", "  Honey:").replace("  Honeypot:", "  Honey pot:")
    line, sentence = refusal_of(text, tmp_path)
    assert sentence == (
        "decoys.'Honey pot': expected a name whose actions read as no other's, but two would read 'Honey pot Desk'"
    )
    assert line == line_of(text, "Honey pot:")


def _write(text, tmp_path):
    path = tmp_path / "network.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_encode__takes_letters_in_either_form():
    codec = ActionCodec.build(["Zürich", "x"], [])
    assert codec.encode("Restore Zu\u0308rich") == codec.encode("Restore Zürich")


def test_unit_type__with_what_parts_an_order_is_refused(tmp_path):
    for name in ("a, b", "a>b"):
        _, sentence = refusal_of(SMALL.replace("unit_type: user", f"unit_type: '{name}'"), tmp_path)
        assert "expected a name without a comma and >, which part the types of an order" in sentence
