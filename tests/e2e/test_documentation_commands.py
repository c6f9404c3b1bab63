"""What the documents tell a reader to type does what it should: it is typed here, in a small size."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest

from cageflow.scenario import load_scenario
from cageflow.scenario.cyborg.writing import cyborg_text
from tests.e2e.command_line import cageflow
from tests.e2e.conftest import Run
from tests.e2e.small_commands import shrink, small
from tests.helpers.documents import Page, read_page

ROOT = Path(__file__).parents[2]
PAGES = {path.name: read_page(path.read_text()) for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]}
RECORDING = ROOT / "tests" / "data" / "v2.1_B_lineAgent_quiet_100.npz"

NOT_RUN = {
    "cageflow * --cyborg-path DIR*": "needs an installed CybORG, some of them an entrant's repository too",
    "PYTHONPATH=DIR/CybORG *": "needs an installed CybORG; test_export.py runs the file",
    "cageflow search * --address HOST:*": "needs a cluster; test_clusters.py has one",
    "cageflow train --start-from [AB]*": "goes on from 50,000 episodes; test_hardening.py does so in rounds",
    "cageflow train --start-from wired.state *": "goes on from such a training; test_restore_gates.py begins with one",
    "cageflow train --side red --blue-agent B0 *": "learns against such a training",
    "cageflow champion --rounds *": "speaks of the command",
    "cageflow champion * --starts 2 --remove-habit": "the same in more trainings; test_champion.py runs both options",
    "cageflow evaluate": "speaks of the command",
    "cageflow export": "speaks of the command",
    "cageflow train": "speaks of the command",
    "cageflow watch": "speaks of the command",
    "cageflow duel*": "trains two sides in processes of their own; test_duel.py plays one in this",
    "cageflow exploit champion --rules *": "the same as without; test_attackers.py asks for --json",
    "cageflow exploit champion-robust": "the same as of champion",
    "cageflow --*": "speaks of the option",
    "cageflow COMMAND -h": "speaks of the option",
    "cageflow evaluate --json": "speaks of the option",
    "make *": "installs, or runs tests and searches of full size",
    "python3 -m venv *": "installs",
    "pip install *": "installs",
    "cageflow search --network [!m]*": "compiles a network anew (mine.yaml is); test_network.py searches plant",
    "cageflow train --network [!m]*": "compiles a network anew; test_network.py searches plant",
    "cageflow baseline greedy --network [!m]*": "compiles a network anew; test_shipped.py plays it",
    "dask *": "serves until it is ended",
    "ray start *": "serves until it is ended",
    "python tools/measure_executors.py *": "measures for minutes, on a quiet machine",
    "cageflow bench cuda*": "needs a GPU; test_cuda.py has a stand-in",
    "python -m tools.exploit_champions": "trains for minutes; test_exploit.py does what it does",
    "python -m tools.wire_restores *": "goes on from a training; test_restore_gates.py does what it does",
    "python -m tools.measure_belief *": "plays for minutes with thousands of particles",
    "python -m tests.helpers.record_sleepy *": "needs an installed CybORG; test_sleepy.py replays what it made",
    "python -m tests.helpers.free_run": "plays for minutes; tests/statistical plays the same",
}
"""Commands that the documents show and this test does not run, and why."""

NO_COMMANDS = {
    ("README.md", "trial   0 "): "what a search prints",
    ("evaluation.md", "team bline=runs/bline,"): "what an evaluation prints",
    ("evaluation.md", "100 steps after 25 "): "what an evaluation prints",
    ("evaluation.md", "     policy "): "what an evaluation prints",
    ("search.md", "value of a trial = "): "a formula",
    ("search.md", "-ln(1 + gap / unit) "): "a formula",
    ("search.md", "enterprise before user "): "what a search prints",
    ("search.md", "CAGE Challenge 2, Scenario2, durations cage4,"): "what regret prints",
    ("networks.md", "protocol: {"): "a line of a network file",
    ("scaling.md", "export NUMBA_CPU_NAME="): "sets variables",
}
"""How the other blocks without a language begin."""

PROGRAMS_NOT_RUN = {
    ("evaluation.md", "class CleanUp:"): "test_evaluation_document.py plays it",
    ("export.md", "import numpy as np\nimport onnxruntime"): "test_export.py runs it",
    ("scaling.md", "from dask_jobqueue"): "needs SLURM",
}
"""How the programs begin that this test does not run, and why."""

SMALLER = {
    "total_episodes=20_000": "total_episodes=40, max_episodes_per_workflow=16, episodes_per_update=8, "
    "evaluation_episodes=6, compare_plain=0",
    "total_episodes=5_000": "total_episodes=16, episodes_per_update=8, evaluation_episodes=6",
    "evaluation_episodes=100,": "evaluation_episodes=2,",
    "num_envs=256": "num_envs=4",
    "range(400)": "range(4)",
    "Cage2VecEnv(32, ": "Cage2VecEnv(4, ",
    "n_steps=100, seed=1).learn(3_200)": "n_steps=10, seed=1).learn(40)",
}
"""What is changed in the programs that it runs."""


def is_listed(text: str) -> bool:
    return any(fnmatch(text, pattern) for pattern in NOT_RUN)


def entry_of(table: Mapping[tuple[str, str], str], name: str, text: str) -> tuple[str, str] | None:
    """The entry of a list that a block of a page belongs to."""
    return next((entry for entry in table if name == entry[0] and text.startswith(entry[1])), None)


def run_page(name: str, page: Page, done: set[tuple[str, ...]]) -> list[str]:
    """Run the commands of a page in the working folder, from top to bottom.

    Args:
        name: of the page.
        page: what stands on it.
        done: commands that were run and need not be again; those of this page are added.

    Returns:
        What went wrong, a sentence for each command.
    """
    wrong = []
    for line, text in page.commands:
        if is_listed(text):
            continue
        where = f"{name}, line {line}: `{text}`"
        if not re.match(r"(?:\S+/)?cageflow ", text):
            wrong.append(f"{where} is neither run nor in NOT_RUN")
            continue
        try:
            words = small(text)
        except KeyError:
            wrong.append(f"{where} is of no command that OPTIONS gives a size")
            continue
        of_page = re.search(r"[/.]", text.replace("...", ""))  # the same words speak of another page's files
        known = (name if of_page else "", *sorted(" ".join(words).split(" --")))
        if known in done:
            continue
        done.add(known)
        spread = [path for word in words for path in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]
        try:
            outcome = cageflow(*spread)
        except Exception as error:
            wrong.append(f"{where}, run as {words}, raised {error!r}")
            continue
        if outcome.status != 0 or "Traceback" in outcome.err:
            wrong.append(f"{where}, run as {words}, ended with exit status {outcome.status}: {outcome.err}")
    return wrong


@pytest.fixture(scope="session")
def done() -> set[tuple[str, ...]]:
    """Commands that were run."""
    return set()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, search_run: Run, plain_run: Run, universal_run: Run) -> Path:
    """The working folder: all that the commands expect and do not make."""
    shrink(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))  # agents are imported from where they are
    for name, run in (("search", search_run), ("plain", plain_run), ("universal", universal_run)):
        shutil.copytree(run.path, tmp_path / "made" / name)
    shutil.copy(RECORDING, tmp_path / "made" / "recording.npz")
    (tmp_path / "made" / "theirs.yaml").write_text(cyborg_text(load_scenario()))
    (tmp_path / "agents.py").write_text(PAGES["evaluation.md"].programs[0].text)
    shutil.copy(ROOT / "docs" / "examples" / "my_red.py", tmp_path / "my_red.py")
    return tmp_path


@pytest.mark.parametrize("name", PAGES)
def test_commands_of_a_document_run(name: str, here: Path, done: set[tuple[str, ...]]) -> None:
    wrong = run_page(name, PAGES[name], done)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cageflow baseline react --red-agent meandre", "exit status 2"),
        ("cageflow train --no-workflow --start-from runs/RUN/nothing", "exit status 2"),
        ("cageflow evaluate team.json --both", "exit status 2"),
        ("cageflow parity RUN/config.yaml", "exit status 2"),
        ("cageflow bench sim", "raised ZeroDivisionError"),
        ("cageflow dance", "no command"),
        ("pip download cageflow", "neither run nor in"),
    ],
)
def test_wrong_command_is_reported(line: str, words: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cageflow.bench.simulator.bench_sim", lambda *_, **__: 1 / 0)
    for text in (f"Type\n\n    {line}\n", f"Type\n```sh\n{line}\n```\n", f"Type\n\n`{line}`.\n"):
        (report,) = run_page("page.md", read_page(text), set())
        assert f"page.md, line 3: `{line}`" in report
        assert words in report


def unused(patterns: Mapping[str, str]) -> list[str]:
    texts = [command.text for page in PAGES.values() for command in page.commands]
    return [pattern for pattern in patterns if not any(fnmatch(text, pattern) for text in texts)]


def test_lists_of_what_is_not_run_name_nothing_that_is_gone() -> None:
    assert unused(NOT_RUN) == []
    assert unused({"cageflow dance *": "planted"}) == ["cageflow dance *"]
    programs = [(name, program.text) for name, page in PAGES.items() for program in page.programs]
    assert {entry_of(PROGRAMS_NOT_RUN, *program) for program in programs} - {None} == set(PROGRAMS_NOT_RUN)
    assert all(any(words in text for _, text in programs) for words in SMALLER)


def test_blocks_that_are_no_commands_are_known() -> None:
    blocks = [(name, block.text) for name, page in PAGES.items() for block in page.rest]
    assert [block for block in blocks if entry_of(NO_COMMANDS, *block) is None] == []
    assert {entry_of(NO_COMMANDS, *block) for block in blocks} == set(NO_COMMANDS)


def test_targets_extras_and_tools_that_documents_name_exist() -> None:
    texts = "\n".join(command.text for page in PAGES.values() for command in page.commands)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", texts)) <= targets
    extras = (ROOT / "pyproject.toml").read_text().split("[project.optional-dependencies]")[1].split("\n[")[0]
    assert set(re.findall(r"cageflow\[([\w,]+)\]", texts)) <= set(re.findall(r"^(\w+) =", extras, re.MULTILINE))
    modules = [name.replace(".", "/") + ".py" for name in re.findall(r"python -m (tests\.[\w.]+)", texts)]
    for path in [*re.findall(r"python (tools/\S+)", texts), *modules]:
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param(name, program.text, id=name)
        for name, page in PAGES.items()
        for program in page.programs
        if entry_of(PROGRAMS_NOT_RUN, name, program.text) is None
    ],
)
def test_programs_of_a_document_run(name: str, code: str, here: Path) -> None:
    for words, fewer in SMALLER.items():
        code = code.replace(words, fewer)
    if "__main__" in code:  # its workers are processes
        (here / "program.py").write_text(code)
        subprocess.run([sys.executable, "program.py"], check=True, timeout=120)
    else:
        exec(compile(code, name, "exec"), ModuleType("program").__dict__)
