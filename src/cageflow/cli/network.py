"""The commands around networks: import, generate, check and show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cageflow import terminal
from cageflow.cli.app import app
from cageflow.cli.names import App
from cageflow.cli.options import DurationsOfActions, Json, option
from cageflow.cli.output import print_json
from cageflow.errors import UserError

if TYPE_CHECKING:
    from cageflow.scenario import Scenario

network_app = App(help="Bring a network of your own: read one of CybORG's, make one up, check and look at one.")
app.add_typer(network_app, name="network")

NAME_OR_FILE = "A network by its name, a network file, or a scenario file of CybORG."
Out = Annotated[Path | None, option("The file to write.", "standard output")]
OURS, CYBORG = "cageflow", "cyborg"


@network_app.command("import")
def import_(
    scenario: Annotated[
        Path, typer.Argument(metavar="SCENARIO", help="A scenario file of CybORG.", show_default=False)
    ],
    out: Out = None,
    name: Annotated[str | None, option("Of the network.", "that of the file")] = None,
    types: Annotated[
        str | None, option("Unit types of hosts, as HOST=TYPE,..., where they are not to be those that names tell.")
    ] = None,
    images: Annotated[Path | None, option("Folder of image files, for hosts whose image is not a usual one.")] = None,
    cyborg_path: Annotated[Path | None, option("Folder of an installed CybORG, to take its images.")] = None,
    as_json: Json = False,
) -> None:
    """Read a scenario file of CybORG as a network file; what cannot be expressed is refused with the place."""
    from cageflow.scenario.cyborg.images import Images, images_of_cyborg
    from cageflow.scenario.cyborg.importing import import_scenario
    from cageflow.scenario.named import with_known_name

    if images is not None and cyborg_path is not None:
        raise UserError("--images and --cyborg-path both say where images are: leave one of them out")
    folder = images if cyborg_path is None else images_of_cyborg(cyborg_path)
    found = import_scenario(scenario, name, Images(folder), parse_types(types or ""))
    _write(with_known_name(found) if name is None else found, out, OURS, as_json)


@network_app.command()
def generate(
    hosts: Annotated[int, typer.Option(help="Number of hosts, at most 63.")] = 20,
    subnets: Annotated[int, typer.Option(help="Number of subnets, 2 to 16.")] = 3,
    types: Annotated[int, typer.Option(help="Number of unit types, 2 to 8.")] = 5,
    seed: Annotated[int, typer.Option(help="Decides all chance.", min=0)] = 0,
    form: Annotated[
        str, typer.Option("--format", help="cageflow: a network file; cyborg: a scenario file that CybORG runs.")
    ] = OURS,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Make up a network; the same numbers give the same network."""
    from cageflow.scenario.generating import generate_network

    if form not in (OURS, CYBORG):
        raise UserError(f"--format is {form!r}: expected {OURS} or {CYBORG}")
    _write(generate_network(hosts, subnets, types, seed), out, form, as_json)


@network_app.command()
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help=NAME_OR_FILE, show_default=False)],
    durations: DurationsOfActions = None,
    as_json: Json = False,
) -> None:
    """Check a network file; exit status 2 and the place where it is none."""
    from cageflow.report.network.facts import Facts
    from cageflow.scenario import load_network

    facts = Facts(load_network(file, durations or "file"))
    for sentence in facts.sentences():
        terminal.say(sentence, err=as_json)
    if as_json:
        print_json(facts.to_json())


@network_app.command()
def show(
    network: Annotated[str, typer.Argument(metavar="NETWORK", help=NAME_OR_FILE)] = "cage2",
    svg: Annotated[Path | None, option("A picture to write as well.")] = None,
    durations: DurationsOfActions = None,
) -> None:
    """Show a network in the terminal, and draw it."""
    from cageflow.report.network.picture import network_svg
    from cageflow.report.network.table import network_tables
    from cageflow.scenario import NETWORK_NAMES, load_network

    found = load_network(network, durations or "file")
    terminal.make_console().print(network_tables(found))
    if svg is not None:
        _save(svg, network_svg(found))
        terminal.say(f"Wrote {svg}.")
    else:
        terminal.say(f"Networks that come with cageflow: {', '.join(NETWORK_NAMES)}.")


def parse_types(text: str) -> dict[str, str]:
    """What `--types` says: the unit type of each host that it names."""
    pairs = [pair.partition("=") for pair in text.split(",")] if text else []
    for host, equals, unit_type in pairs:
        if not (host.strip() and equals and unit_type.strip()):
            raise UserError(
                f"--types is {text!r}: expected HOST=TYPE, several separated by commas, such as User4=server"
            )
    return {host.strip(): unit_type.strip() for host, _, unit_type in pairs}


def _write(scenario: Scenario, out: Path | None, form: str, as_json: bool) -> None:
    """Hand a network over, as a file or on standard output."""
    from cageflow.report.network.facts import Facts
    from cageflow.scenario import Network
    from cageflow.scenario.cyborg.writing import cyborg_text
    from cageflow.scenario.writing import network_text

    if as_json and out is None:
        raise UserError("--json needs --out FILE: standard output has room for one of them")
    text = network_text(scenario) if form == OURS else cyborg_text(scenario)
    facts = Facts(Network(scenario))
    if out is None:
        terminal.say(text.rstrip("\n"))
    else:
        _save(out, text)
    for sentence in facts.sentences():
        terminal.say(sentence, err=out is None or as_json)
    if as_json:
        print_json({"file": str(out)} | facts.to_json())


def _save(path: Path, text: str) -> None:
    from cageflow.files import write_whole

    if not path.parent.is_dir():
        raise UserError(f"{path.parent} is no folder: make it, or name another file")
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
