"""A scenario file of the original is read as the network that plays alike, or refused with the place and the reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cageflow.errors import UserError
from cageflow.scenario import Network, load_network, load_scenario
from cageflow.scenario.cyborg.images import Images
from cageflow.scenario.cyborg.importing import import_scenario, import_text, unit_type_of
from cageflow.scenario.cyborg.refusals import addresses
from cageflow.scenario.cyborg.writing import cyborg_text

CAGE2 = cyborg_text(load_scenario())
Change = Callable[[dict[str, Any]], Any]


def changed(change: Change) -> str:
    """CAGE-2's scenario file with a change."""
    content = yaml.safe_load(CAGE2)
    change(content)
    return yaml.safe_dump(content, sort_keys=False)


def add_user(image: str) -> Change:
    """A sixth host in the User subnet."""

    def change(data: dict[str, Any]) -> None:
        info = {"User5": {"Interfaces": "All"}, "Enterprise0": {"Interfaces": "IP Address"}}
        data["Hosts"]["User5"] = {"image": image, "info": info}
        data["Subnets"]["User"]["Hosts"].append("User5")
        for agent in ("Blue", "Green"):
            data["Agents"][agent]["INT"]["Hosts"]["User5"] = {"Interfaces": "All", "System info": "All"}
        client = {"hostname": "User5", "parent": "VeloServer", "type": "VelociraptorClient", "username": "ubuntu"}
        data["Agents"]["Blue"]["starting_sessions"].append(client)

    return change


def renamed(old: str, new: str) -> Change:
    """A host by another name, wherever it stands."""

    def change(data: dict[str, Any]) -> None:
        other = yaml.safe_load(yaml.safe_dump(data, sort_keys=False).replace(old, new))
        data.clear()
        data.update(other)

    return change


def blue(data: dict[str, Any]) -> dict[str, Any]:
    return data["Agents"]["Blue"]


def red(data: dict[str, Any]) -> dict[str, Any]:
    return data["Agents"]["Red"]


def server(data: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in blue(data)["starting_sessions"] if one["type"] == "VelociraptorServer")


def foothold(host: str, kind: str, user: str = "SYSTEM", known: bool = True) -> Change:
    """One more session of red's at the start."""

    def change(data: dict[str, Any]) -> None:
        red(data)["starting_sessions"].append({"hostname": host, "type": kind, "username": user})
        if known:
            red(data)["INT"]["Hosts"][host] = {"Interfaces": "All", "System info": "All"}

    return change


def without_host(name: str) -> Change:
    """No trace of a host."""

    def change(data: dict[str, Any]) -> None:
        del data["Hosts"][name]
        for subnet in data["Subnets"].values():
            subnet["Hosts"] = [host for host in subnet["Hosts"] if host != name]
        for agent in data["Agents"].values():
            agent["INT"]["Hosts"].pop(name, None)
            agent["starting_sessions"] = [one for one in agent["starting_sessions"] if one["hostname"] != name]
        for host in data["Hosts"].values():
            host["info"].pop(name, None)

    return change


# What is changed in CAGE-2's scenario file, and what the refusal says.
REFUSALS: dict[str, tuple[Change, str]] = {
    "no agents": (lambda d: d.pop("Agents"), "Agents: expected this key, which is missing"),
    "unknown part": (lambda d: d.update(Weather="wet"), "Weather: expected no such key"),
    "unknown agent": (lambda d: d["Agents"].update(Grey={}), "Agents.Grey: expected no such key"),
    "red acts first": (
        lambda d: d.update(Agents=dict(reversed(d["Agents"].items()))),
        "Agents: expected Blue, Green, Red in this order, in which they act, got Red, Green, Blue",
    ),
    "hidden subnet": (
        lambda d: red(d)["AllowedSubnets"].remove("Enterprise"),
        "Agents.Red.AllowedSubnets: expected every subnet and no other, got them without Enterprise",
    ),
    "strange subnet": (lambda d: red(d)["AllowedSubnets"].append("Moon"), "got them with Moon"),
    "wrapped agent": (lambda d: blue(d).update(wrappers=["Noise"]), "Agents.Blue.wrappers: expected none"),
    "other reward": (
        lambda d: blue(d).update(reward_calculator_type="Disrupt"),
        "Agents.Blue.reward_calculator_type: expected HybridAvailabilityConfidentiality with Red as the adversary",
    ),
    "no adversary": (lambda d: blue(d).pop("adversary"), "with Red as the adversary"),
    "other blue action": (lambda d: blue(d)["actions"].append("Analyse"), "Agents.Blue.actions: expected Sleep, Moni"),
    "blue actions in another order": (lambda d: blue(d)["actions"].reverse(), "Restore in this order"),
    "red cannot sweep": (
        lambda d: red(d)["actions"].remove("DiscoverRemoteSystems"),
        "Agents.Red.actions: expected DiscoverRemoteSystems among them",
    ),
    "green cannot scan": (lambda d: d["Agents"]["Green"]["actions"].clear(), "expected GreenPortScan among them"),
    "blue does not know a host": (
        lambda d: blue(d)["INT"]["Hosts"].pop("User3"),
        "Agents.Blue.INT.Hosts.User3: expected all Interfaces and System info",
    ),
    "blue does not watch a host": (
        lambda d: blue(d)["starting_sessions"].pop(0),
        "Agents.Blue.starting_sessions: expected one on Defender with VeloServer as its parent",
    ),
    "blue has no server": (
        lambda d: server(d).update(type="VelociraptorClient"),
        "Agents.Blue.starting_sessions: expected one session without a parent, a VelociraptorServer with a name",
    ),
    "the server collects nothing": (
        lambda d: server(d).update(artifacts=[]),
        "artifacts: expected NetworkConnections among them",
    ),
    "a session of another parent": (
        lambda d: blue(d)["starting_sessions"].append(blue(d)["starting_sessions"][0] | {"parent": "Me"}),
        "parent: expected VeloServer",
    ),
    "a session on no host": (
        lambda d: d["Agents"]["Green"]["starting_sessions"][0].update(hostname="Moon"),
        "Agents.Green.starting_sessions.0.hostname: there is no host Moon",
    ),
    "knowledge of no host": (
        lambda d: red(d)["INT"]["Hosts"].update(Moon={}),
        "Agents.Red.INT.Hosts.Moon: there is no",
    ),
    "red starts where Meander retreats from": (
        renamed("User0", "OpUser0"),
        "hostname: expected a host without Op and Ent in its name, got OpUser0: from those RedMeanderAgent retreats",
    ),
    "service that is not there": (
        lambda d: d["Hosts"]["User1"]["info"]["User1"].update(Services=["OTService"]),
        "Hosts.User1.info: it has no OTService",
    ),
    "service of another host": (
        lambda d: d["Hosts"]["User1"]["info"]["Enterprise1"].update(Services=["OTService"]),
        "Hosts.User1.info.Enterprise1.Services: expected nothing but OTService, on the host that has it",
    ),
    "name revealed": (
        lambda d: d["Hosts"]["User1"]["info"]["Enterprise1"].update({"System info": "All"}),
        "Hosts.User1.info.Enterprise1: a host's name without a session on it cannot be expressed",
    ),
    "processes revealed": (
        lambda d: d["Hosts"]["User1"]["info"]["User1"].update(Processes=["All"]),
        "Hosts.User1.info.User1.Processes: expected no such key",
    ),
    "no host revealed": (
        lambda d: d["Hosts"]["User1"]["info"].update(Moon={}),
        "Hosts.User1.info.Moon: expected a host among Defender",
    ),
    "subnet revealed": (
        lambda d: d["Hosts"]["User1"]["info"]["Enterprise1"].update(Interfaces="All"),
        "Hosts.User1.info: it reveals the subnet Enterprise without a sweep, which cannot be expressed",
    ),
    "value unknown": (
        lambda d: d["Hosts"]["User1"].update(ConfidentialityValue="Huge"),
        "Hosts.User1.ConfidentialityValue: expected 'None', 'Low', 'Medium' or 'High', got 'Huge'",
    ),
    "image unknown": (
        lambda d: d["Hosts"]["User1"].update(image="beos"),
        "Hosts.User1.image: expected an image among Gateway, Internal, .*, got beos: name its folder by --images",
    ),
    "host in no subnet": (
        lambda d: d["Subnets"]["User"]["Hosts"].remove("User4"),
        "Hosts.User4: expected the host in one of the Subnets",
    ),
    "host in two subnets": (
        lambda d: d["Subnets"]["User"]["Hosts"].append("Defender"),
        "Subnets.User.Hosts: Defender is in Enterprise already",
    ),
    "host in a subnet alone": (
        lambda d: d["Subnets"]["User"]["Hosts"].append("Moon"),
        "expected a host among Defender",
    ),
    "access list of no subnet": (
        lambda d: d["Subnets"]["User"]["NACLs"].update(Moon={"in": "all"}),
        "Subnets.User.NACLs.Moon: expected all or a subnet among Enterprise, Operational, User",
    ),
    "access list of ports": (
        lambda d: d["Subnets"]["User"]["NACLs"].update(all={"in": [{"PortRange": [1, 9]}]}),
        "Subnets.User.NACLs.all.in: expected 'all' or 'None'",
    ),
    "access list that breaks the original": (
        lambda d: d["Subnets"]["Enterprise"]["NACLs"].update(all={"in": "None"}),
        "Subnets.Enterprise.NACLs.all: expected `in: all`: on another the original breaks down",
    ),
    "empty subnet": (
        lambda d: (
            d["Subnets"].update(Moon={"Hosts": [], "NACLs": {"all": {"in": "all"}}, "Size": 1}),
            [agent["AllowedSubnets"].append("Moon") for agent in d["Agents"].values()],
        ),
        "Subnets.Moon.Hosts: expected a host at least",
    ),
    "name with a blank": (
        lambda d: d["Hosts"].update({"User 9": dict(d["Hosts"]["User1"])}),
        "Hosts.'User 9': expected a name without blanks",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_expressed__is_refused_with_line_and_place(case):
    change, words = REFUSALS[case]
    with pytest.raises(UserError, match=rf"^a scenario, line \d+: .*{words.replace('(', chr(92) + '(')}"):
        import_text(changed(change), "a scenario")


def test_cage2__comes_back_as_it_was():
    assert import_text(CAGE2, load_scenario().name) == load_scenario()


@pytest.mark.cyborg
def test_scenario2_of_the_original__is_the_shipped_network(cyborg_path):
    found = [*Path(cyborg_path).rglob("Scenario2.yaml")][0]
    scenario = import_scenario(found, load_scenario().name)
    assert scenario.model_dump_json() == load_scenario().model_dump_json()
    (found,) = Path(cyborg_path).rglob("Scenario1b.yaml")
    cage1 = load_network("cage1").scenario
    assert import_scenario(found, cage1.name).model_dump_json() == cage1.model_dump_json()


@pytest.mark.parametrize(
    ("host", "unit_type"),
    [
        ("Defender", "defender"),
        ("Enterprise10", "enterprise"),
        ("Op_Server0", "op_server"),
        ("Op_Host2", "op_host"),
        ("User0", "user"),
        ("Web-1", "web"),
        ("7", "7"),
    ],
)
def test_unit_type_of__is_the_name_without_its_number(host, unit_type):
    assert unit_type_of(host) == unit_type


def test_types__replace_those_of_the_names(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(CAGE2)
    scenario = import_scenario(path, types={"User4": "enterprise"})
    assert scenario.name == "mine"
    assert [scenario.hosts[host].unit_type for host in ("User3", "User4")] == ["user", "enterprise"]
    with pytest.raises(UserError, match="--types names Moon: expected a host among Defender"):
        import_scenario(path, types={"Moon": "user"})


def test_too_many_types__are_refused_with_the_cure(tmp_path):
    path = tmp_path / "many.yaml"
    path.write_text(CAGE2)
    types = dict(zip(load_scenario().hosts, "abcdefg", strict=False))
    with pytest.raises(UserError, match="expected 2 to 8 unit types, the names of its hosts give 9: a, .*; --types gi"):
        import_scenario(path, types=types)


def test_footholds__and_what_red_knows_are_taken():
    scenario = import_text(changed(foothold("User1", "shell")), "x")
    assert [one.host for one in scenario.red.footholds] == ["User1"]
    assert scenario.red.knows is None  # the hosts of its sessions
    scenario = import_text(changed(foothold("Enterprise1", "shell", known=False)), "x")
    assert scenario.red.knows == ["User0"]


@pytest.mark.parametrize(
    ("lists", "wall"),
    [
        ({"all": {"in": "all"}}, {}),
        ({"Enterprise": {"in": "all"}}, {"closed_to": ["User"]}),
        ({"User": {"in": "all"}, "all": {"in": "all"}}, {}),
        ({"User": {"in": "None"}}, {"guarded_by": ["Enterprise0", "Enterprise1", "Enterprise2"]}),
    ],
)
def test_access_lists__become_walls_against_the_subnet_that_red_starts_in(lists, wall):
    scenario = import_text(changed(lambda d: d["Subnets"]["Operational"].update(NACLs=lists)), "x")
    assert scenario.subnets["Operational"].model_dump(exclude_defaults=True) == wall


def test_red_shut_into_its_own_subnet__needs_a_guard_there_too():
    scenario = import_text(changed(lambda d: d["Subnets"]["User"].update(NACLs={"User": {"in": "None"}})), "x")
    assert scenario.subnets["User"].guards_against == ["User"]


def test_what_a_host_keeps_to_itself__is_said():
    def secretive(data):
        data["Hosts"]["Enterprise1"]["info"].pop("Enterprise1")  # which users tell of
        data["Hosts"]["Op_Server0"]["info"]["Op_Server0"].pop("Services")

    scenario = import_text(changed(secretive), "x")
    assert not scenario.hosts["Enterprise1"].reveals_subnet
    assert not scenario.hosts["Op_Server0"].reveals_service
    assert scenario.hosts["Enterprise0"].reveals_subnet


def test_network_without_the_goal_of_the_originals_attackers__has_none():
    scenario = import_text(changed(renamed("Op_Server0", "Op_Server7")), "x")
    assert (scenario.red.goal, scenario.red.b_line) == (None, None)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["Subnets"]["Enterprise"].update(Hosts=["Enterprise2", "Enterprise0", "Enterprise1", "Defender"]),
        lambda d: [d["Hosts"][name]["info"].pop(name) for name in ("Enterprise0", "Enterprise1")],
        lambda d: d["Subnets"]["Enterprise"].update(NACLs={"User": {"in": "None"}}),
    ],
    ids=["a third that does not know the goal", "servers that do not tell their subnet", "servers out of reach"],
)
def test_way_on_which_the_original_breaks_down_in_every_episode__is_not_said_to_be_b_lines(change):
    assert import_text(changed(change), "x").red.b_line is None


@pytest.mark.parametrize(
    ("change", "hop", "host", "stuck"),
    [
        (lambda d: d["Hosts"]["User1"]["info"].pop("Enterprise1"), 1, "User1", ("User1",) * 4),
        (
            lambda d: d["Hosts"]["Enterprise0"]["info"].pop("Enterprise0"),
            2,
            "Enterprise0",
            ("User3", "Enterprise0", "Enterprise0", "Enterprise0"),
        ),
    ],
    ids=["a first host that knows no server", "a server that does not tell its subnet"],
)
def test_way_on_which_the_original_breaks_down_in_some_episodes__ends_there(change, hop, host, stuck):
    network = Network(import_text(changed(change), "x"))
    way = network.scenario.red.b_line
    assert way is not None and [place.dead_ends for place in way] == [[host] if i == hop else [] for i in range(4)]
    assert stuck in network.b_line_way.hosts
    assert ("User2", "Enterprise1", "Enterprise2", "Op_Server0") in network.b_line_way.hosts


@pytest.mark.parametrize(
    "change",
    [
        lambda d: [d["Subnets"][subnet].update(NACLs={"User": {"in": "None"}}) for subnet in ("User", "Enterprise")],
        lambda d: (
            d["Subnets"]["Enterprise"].update(NACLs={"User": {"in": "None"}, "all": {"in": "all"}}),
            red(d)["starting_sessions"].append(
                red(d)["starting_sessions"][0] | {"hostname": "Enterprise1", "type": "red_reverse_shell"}
            ),
        ),
    ],
    ids=["shut in from the first step on", "a server that red begins with opens their subnet"],
)
def test_way_on_which_the_original_never_breaks_down__is_b_lines(change):
    way = import_text(changed(change), "x").red.b_line
    assert way is not None and not any(hop.dead_ends for hop in way)


def test_way_that_ends_where_no_exploit_gets_in__is_b_lines_all_the_same():
    def shielded(data):
        data["Subnets"]["Enterprise"]["Hosts"] = ["Enterprise0", "Enterprise1", "Defender", "Enterprise2"]

    way = import_text(changed(shielded), "x").red.b_line
    assert way is not None and way[2].to == ["Defender"]


def test_misinform__plants_one_of_five_decoys():
    def cage1(data):
        blue(data)["actions"] = ["Sleep", "Monitor", "Analyse", "Remove", "Misinform", "Restore"]

    network = Network(import_text(changed(cage1), "x"))
    assert network.scenario.decoys == load_network("cage1").scenario.decoys
    assert network.codec.names[2 + 2 * 13] == "Misinform Defender" and len(network.codec) == 54


def test_green_that_draws_names_of_no_host__acts_less_often():
    def small(data):
        for host in ("User3", "User4"):
            without_host(host)(data)

    scenario = import_text(changed(small), "x")
    assert (len(scenario.green_hosts), scenario.green_probability) == (6, 0.375)


def test_host_that_says_nothing_of_itself__is_taken_where_only_a_sweep_finds_it():
    def silent(data):
        data["Hosts"]["Op_Host1"]["info"] = {"Op_Host0": {"Interfaces": "IP Address"}}
        data["Hosts"]["Defender"].pop("info")

    assert import_text(changed(silent), "x").hosts["Op_Host1"].reveals == ["Op_Host0"]


def test_hosts_and_subnets__keep_the_order_in_which_the_original_walks_them():
    def shuffle(data):
        data["Hosts"] = {name: data["Hosts"][name] for name in sorted(data["Hosts"], reverse=True)}
        data["Subnets"] = dict(reversed(data["Subnets"].items()))
        data["Hosts"]["User1"]["info"] |= {"Enterprise0": {"Interfaces": "IP Address"}}

    scenario = import_text(changed(shuffle), "x")
    assert list(scenario.hosts)[:2] == ["User4", "User3"]
    assert list(scenario.subnets) == ["User", "Operational", "Enterprise"]  # by their first hosts
    assert scenario.hosts["User1"].reveals == ["Enterprise1", "Enterprise0"]  # as the hosts stand


def test_values_and_images__are_those_of_the_file():
    scenario = import_text(changed(add_user("linux_user_host2")), "x")
    assert scenario.hosts["User5"].confidentiality == "low"  # the original's usual value
    assert scenario.hosts["User5"].processes == scenario.hosts["User4"].processes
    assert "User5" not in scenario.green_hosts  # the green agent knows eight hosts by name


def test_property_that_no_process_has__cannot_be_lost():
    def windows(data):
        for host in ("User3", "User4"):
            data["Hosts"][host]["image"] = "windows_user_host1"

    assert import_text(changed(windows), "x").lost_on_restore == []


@pytest.mark.parametrize("size", range(1, 70))
def test_addresses__are_at_least_fourteen_and_a_power_of_two_less_two(size):
    assert addresses(size) >= 14 and (addresses(size) + 2).bit_count() == 1


def test_room__is_what_the_size_gives():
    names = [f"User{i}" for i in range(5)] + [f"Extra{i}" for i in range(12)]

    def crowd(data):
        for name in names[5:]:
            data["Hosts"][name] = dict(data["Hosts"]["User1"])
        data["Subnets"]["User"].update(Hosts=names, Size=17)

    with pytest.raises(UserError, match=r"Subnets.User.Size: expected room for 17 hosts: a size of 17 gives 14 addre"):
        import_text(changed(crowd), "x")


def test_network_option__takes_a_scenario_file_of_the_original(tmp_path):
    path = tmp_path / "theirs.yaml"
    path.write_text(CAGE2)
    assert load_network(path).scenario.hosts == load_scenario().hosts


def test_images_of_a_folder__come_first(tmp_path):
    (tmp_path / "images.yaml").write_text("Gateway: {path: mine}\nInternal: {path: none}\n")
    (tmp_path / "mine.yaml").write_text(
        "Test_Host:\n  System info: {OSType: LINUX}\n  Processes:\n"
        "  - {PID: 1, Process Name: sshd, Username: root, Connections: [{local_port: 2222}]}\n"
    )
    path = tmp_path / "scenario.yaml"
    path.write_text(
        changed(lambda d: [host.update(image="Gateway") for name, host in d["Hosts"].items() if "Op_H" in name])
    )
    with pytest.raises(UserError, match=r"none.yaml: expected a readable YAML file"):
        import_scenario(path, images=Images(tmp_path))
    (tmp_path / "images.yaml").write_text("Gateway: {path: mine}\n")
    assert import_scenario(path, images=Images(tmp_path)).hosts["Op_Host1"].processes[0].ports == [2222]
