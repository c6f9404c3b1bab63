"""Networks by name, and from files of ours or of the original."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from cageflow.errors import UserError
from cageflow.files import read_whole
from cageflow.scenario.cyborg.importing import import_file, is_cyborg_file
from cageflow.scenario.cyborg.writing import cyborg_text
from cageflow.scenario.durations import FROM_FILE, parse_durations
from cageflow.scenario.network import Network, default_network
from cageflow.scenario.schema import Scenario
from cageflow.scenario.yaml_file import YamlFile, read_yaml_text

NETWORK_NAMES = ("cage2", "cage1", "plant", "clinic", "campus")
"""Of the networks that come with the package; each stands in a file of that name."""


@dataclass(frozen=True)
class NetworkSource:
    """A network and the file that it came from.

    Attributes:
        network: the network.
        scenario: text of the scenario file of the original that it was read from, None where it is a file of ours.
    """

    network: Network
    scenario: str | None = None

    def for_cyborg(self) -> str:
        """Text of a scenario file with which the original plays on the network.

        Raises:
            UserError: it cannot.
        """
        return cyborg_text(self.network.scenario) if self.scenario is None else self.scenario


def load_network(given: Path | str | None = None, durations: str = FROM_FILE) -> Network:
    """A network by its name, or from a file; the same object as long as the content is the same.

    Args:
        given: one of `NETWORK_NAMES`, the path of a network file of ours or of a scenario file of the original; None
            is CAGE-2's.
        durations: that actions take on it, as `parse_durations` reads them.

    Raises:
        UserError: it is neither, or the file is wrong.
    """
    network, other = find_network(given).network, parse_durations(durations)
    return network if other is None else network.with_durations(other)


def find_network(given: Path | str | None) -> NetworkSource:
    """Likewise with the file that it came from."""
    if given is None:
        return NetworkSource(default_network())
    if str(given) in NETWORK_NAMES:
        return NetworkSource(shipped_network(str(given)))
    path = Path(given)
    if not path.exists() and not path.suffix:
        raise UserError(f"{given} is no network: expected {', '.join(NETWORK_NAMES)}, or the path of a network file")
    return _parsed(read_yaml_text(path, str(path)), str(path))


@lru_cache(maxsize=64)
def _parsed(text: str, name: str) -> NetworkSource:
    """What a file holds; its text is read at each call, since it may have changed, and understood once."""
    file = YamlFile.parse(text, name, Scenario.model_fields)
    if is_cyborg_file(file):
        return NetworkSource(Network.shared(with_known_name(import_file(file, Path(name).stem))), file.text)
    return NetworkSource(Network.shared(file.validate(Scenario)))


def with_known_name(scenario: Scenario) -> Scenario:
    """The network under the name of the shipped one that it is but for its name; itself where it is none of them."""
    for name in NETWORK_NAMES:
        known = shipped_network(name).scenario
        renamed = scenario.model_copy(update={"name": known.name})
        if renamed.model_dump_json() == known.model_dump_json():
            return renamed
    return scenario


def network_file(given: Path | str) -> bytes:
    """The file of a network by its name, or one of a user, as it stands.

    Raises:
        OSError: it cannot be read.
    """
    return _shipped_file(str(given)).read_bytes() if str(given) in NETWORK_NAMES else read_whole(Path(given))


@cache
def shipped_network(name: str) -> Network:
    """One of `NETWORK_NAMES`."""
    if name == "cage2":
        return default_network()
    file = _shipped_file(name)
    return Network.shared(YamlFile.read(file, file.name, Scenario.model_fields).validate(Scenario))


def _shipped_file(name: str) -> Traversable:
    return files("cageflow.scenario").joinpath(f"{name}.yaml")
