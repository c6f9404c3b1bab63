"""Where things stand in the folder of a run."""

from __future__ import annotations

from pathlib import Path

from cageflow.errors import UserError
from cageflow.learn.fit import NETWORK_FILE
from cageflow.scenario.red_agents import file_of_red, is_code, short_red_name
from cageflow.settings.config import RunConfig

CONFIG, NETWORK, CHECKPOINT, POLICIES = "config.json", NETWORK_FILE, "checkpoint", "policies"
STATE, START = "run.state", "start.state"
"""In `CHECKPOINT`: how the run stands, and the learner that it began with."""
BEFORE = {STATE: "state.pt", START: "start.pt"}
"""What these were called in runs that were begun when PyTorch wrote them, or had just ceased to."""
RECOMMENDATION = "recommendation.json"
UNIVERSAL_TABLE = "universal.csv"


RED_AGENT = "red_agent"
"""The copy of the red agent's file, with its ending, where it is none that is built in."""


def checkpoint_file(path: Path, name: str) -> Path:
    """Where `STATE` or `START` of the run in a folder stands: under its name before, where it is there alone."""
    file, before = path / CHECKPOINT / name, path / CHECKPOINT / BEFORE[name]
    return before if before.exists() and not file.exists() else file


def with_kept_files(config: RunConfig, path: Path) -> RunConfig:
    """The configuration of the run in a folder, with the network and the red agent's policy that the folder keeps.

    What the user named may have been moved or changed since. Red agents in Python are those that the user names all the
    same, which `check_same_red` holds against the copy.
    """
    own = {} if config.scenario is None else {"scenario": str(path / NETWORK)}
    red = file_of_red(config.red_agent)
    if red == config.red_agent:
        own["red_agent"] = str(path / kept_red(red))
    return config.model_copy(update=own) if own else config


def check_same_red(given: str, red_agent: str, path: Path) -> None:
    """Refuse another red agent than that of the run in a folder.

    Args:
        given: what the user named.
        red_agent: of the run.
        path: the folder.

    Raises:
        UserError: the run's is no code, or this is another class, or its file has been changed.
    """
    if not is_code(red_agent):
        raise UserError("a resumed run keeps its settings: leave out --red-agent, or start a new run")
    file, copy = file_of_red(given), path / kept_red(str(file_of_red(red_agent)))
    if file is None or short_red_name(given) != short_red_name(red_agent):
        raise UserError(f"the run in {path} is against {red_agent}, not {given}: name that one, wherever it stands now")
    try:
        is_same = Path(file).read_bytes() == copy.read_bytes()
    except OSError as error:
        raise UserError(f"{error.filename} cannot be read: {error.strerror}") from error
    if not is_same:
        raise UserError(f"{file} is not what the run in {path} was begun with: that is kept in {copy}")


def kept_red(file: str) -> str:
    """The name of the copy of a red agent's file."""
    return RED_AGENT + Path(file).suffix
