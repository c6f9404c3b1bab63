"""Wrong input is refused at once: exit status 2, one sentence on standard error, nothing written."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from cageflow.learn.policy import Policy
from cageflow.learn.policy_file import load_policy, save_policy
from tests.e2e.command_line import cageflow
from tests.e2e.conftest import Run

ORDER = "defender,enterprise,op_server,op_host,user"
DATA = Path(__file__).parents[1] / "data"


def snapshot(folder: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a command in a folder of its own and checks that it is refused with these words."""
    monkeypatch.chdir(tmp_path)

    def check(arguments: str, words: str) -> None:
        before = snapshot(tmp_path)
        outcome = cageflow(*shlex.split(arguments))
        assert outcome.status == 2, outcome
        assert outcome.out == ""
        assert outcome.err.startswith("cageflow: ")
        assert outcome.err.count("\n") == 1, outcome.err
        assert words in outcome.err
        assert snapshot(tmp_path) == before

    return check


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("dance", "no such command 'dance'; see cageflow --help"),
        ("search --dance", "no such option: --dance"),
        ("search --workflow user", "no such option: --workflow"),
        ("search dance", "(dance); see cageflow search --help"),
        ("search --seed", "--seed"),
        # The game.
        ("search --red-agent blue", "'blue' is no red agent; possible are B_lineAgent (bline), RedMeanderAgent"),
        ("search --rules v3", "--rules is 'v3'; possible are v2.1, challenge, mixed"),
        ("search --observation truth", "--observation is 'truth'; possible are corrected, official"),
        ("search --max-steps 0", "--max-steps is 0: expected at least 1"),
        ("search --max-steps 3", "--max-steps is 3, fewer than the learner's 4 minibatches"),
        ("search --scenario none.yaml", "none.yaml: expected a readable YAML file"),
        ("search --scenario .", ".: expected a readable YAML file"),
        # The run.
        ("search --total-episodes 0", "--total-episodes is 0: expected at least 1"),
        ("search --total-episodes -5", "--total-episodes is -5: expected at least 1"),
        ("search --total-episodes many", "'many'"),
        ("search --total-episodes 1.5", "'1.5'"),
        ("search --seed -1", "--seed is -1: expected at least 0"),
        (
            "search --seed 99999999999999999999",
            "--seed is 99999999999999999999: expected less than 9223372036854775808",
        ),
        ("search --config none.yaml", "none.yaml cannot be read"),
        ("search --config .", ". cannot be read"),
        ("search --run-dir /dev/null", "/dev/null is a file: name a new folder"),
        ("search --run-dir /dev/null/run", "/dev/null/run cannot be made a run folder"),
        ("search --resume none", "none is no run folder: config.json cannot be read"),
        ("search --resume none --seed 1", "a resumed run keeps its settings: leave out --seed"),
        ("search --resume none --run-dir other", "leave out --run-dir"),
        ("search --resume none --config some.yaml --beta 1", "leave out --beta, --config"),
        ("train --resume none --no-workflow", "leave out --no-workflow"),
        # A name that is empty, as of a variable that is not set.
        ("search --config ''", "--config is empty: name a file or a folder"),
        ("search --scenario=", "--scenario is empty"),
        ("search --network ''", "--scenario is empty"),
        ("train --resume '' --quiet", "--resume is empty"),
        ("search --run-dir ''", "--run-dir is empty"),
        ("compare '' --window 5", "RUN... is empty: give it a name"),
        ("report ''", "RUN is empty"),
        ("export ''", "POLICY is empty"),
        ("parity ''", "FILE... is empty"),
        ("network check ''", "FILE is empty"),
        ("network generate --out ''", "--out is empty"),
        # The search.
        (
            "search --strategy magic",
            "unknown strategy 'magic': possible are gp-ucb, thompson, curves, asha, random, round-robin, canonical",
        ),
        ("search --gate soft", "--gate is 'soft': expected 'feasibility' or 'strict'"),
        ("search --beta -1", "--beta is -1.0: expected at least 0"),
        ("search --beta inf", "--beta is inf: expected a finite number"),
        # The workflow.
        ("train", "give one of --workflow ORDER and --no-workflow"),
        (f"train --workflow {ORDER} --no-workflow", "--workflow and --no-workflow exclude each other"),
        ("train --workflow defender,enterprise,op_server,op_host", "lacks 'user'"),
        (f"train --workflow {ORDER},user", "names 'user' twice: give each of"),
        (f"train --workflow {ORDER}s", "names 'users', which is no unit type"),
        ("train --workflow ''", "workflow '' is empty"),
        ("search --alignment-lambda nan", "--alignment-lambda is nan: expected a finite number"),
        ("search --compliance-threshold 95", "--compliance-threshold is 95.0: expected at most 1"),
        ("search --compliance-definition some", "unknown compliance definition 'some': choose one of any-session"),
        ("search --patience-updates 0", "--patience-updates is 0: expected at least 1"),
        ("search --max-episodes-per-workflow 0", "--max-episodes-per-workflow is 0: expected at least 1"),
        ("search --evaluation-episodes 1", "--evaluation-episodes is 1: expected at least 2"),
        # The learner.
        ("search --preset best", "unknown preset 'best': choose one of champion, default, reference"),
        ("search --episodes-per-update 0", "--episodes-per-update is 0: expected at least 1"),
        ("search --num-threads 0", "--num-threads is 0: expected at least 1"),
        ("search --num-threads 100000000", "--num-threads is 100000000: expected at most 1024"),
        ("search --device tpu", "unknown device 'tpu': choose cpu, cuda, or cuda:N"),
        ("search --device cuda:99", "device 'cuda:99' cannot be used here: choose from cpu"),
        ("search --start-from none", "there is no learner none to start from"),
        ("train --no-workflow --start-from .", "there is no learner checkpoint/run.state to start from"),
        # The collector.
        ("search --collector threads", "unknown collector 'threads': choose one of vector, process, sync, sequential"),
        ("search --n-workers 0", "--n-workers is 0: expected at least 1"),
        ("search --max-staleness -1", "--max-staleness is -1: expected at least 0"),
        ("search --simulator real", "--simulator is 'real': expected 'compiled' or 'cyborg'"),
        ("search --simulator cyborg", "--simulator cyborg and --cyborg-path DIR go together"),
        ("search --cyborg-path .", "--simulator cyborg and --cyborg-path DIR go together"),
        ("search --simulator cyborg --cyborg-path . --collector vector", "holds no CybORG"),
        ("search --simulator cyborg --cyborg-path . --collector process", "holds no CybORG"),
        ("search --simulator cyborg --cyborg-path none --collector sync", "none holds no CybORG"),
        # Recordings.
        ("parity", "missing argument 'FILE...'"),
        ("parity none.npz", "none.npz is no file"),
        ("parity .", ". is no file"),
        ("record", "missing option '--cyborg-path'"),
        ("record --cyborg-path .", "holds no CybORG"),
        ("record --cyborg-path . --out none/file.txt", "--out is none/file.txt: name a file that ends in .npz"),
        ("record --cyborg-path . --out /dev/null/file.npz", "but /dev/null is a file: name another place"),
        ("regret cage2-bline-rewarded --out /dev/null", "--out is /dev/null, which is a file: name a folder"),
        ("compare none --out /dev/null", "--out is /dev/null, which is a file: name a folder"),
        (
            "evaluate --team bline=sleep,meander=sleep --save-team t.txt",
            "--save-team is t.txt: name a file that ends in",
        ),
        ("record --cyborg-path . --episodes 0", "--episodes is '0': expected at least 1"),
        ("record --cyborg-path . --blue best", "'best' is no policy to record with; possible are random"),
        ("record --cyborg-path . --red-agent blue", "'blue' is no red agent"),
        # Playing.
        ("play --blue best", "'best' is no policy: expected a policy file, a run folder, a team file"),
        ("play --blue .", ". holds no policy; name a policy file"),
        ("play --workflow user", "lacks 'defender' and"),
        (f"play --workflow {ORDER}", "--workflow is for a policy file, and --blue is random"),
        ("play --max-steps 0", "--max-steps is '0': expected at least 1"),
        ("play --delay -1", "--delay is -1.0"),
        ("play --seed -1", "--seed is '-1': expected at least 0"),
        ("play --red-agent blue", "'blue' is no red agent"),
        # Measuring.
        ("bench dance", "no such command 'dance'; see cageflow bench --help"),
        ("bench sim --num-threads 0", "--num-threads is '0': expected whole numbers from 1, separated by commas"),
        ("bench sim --num-threads 1,two", "--num-threads is '1,two'"),
        ("bench sim --num-threads 100000000", "expected whole numbers from 1 to 1024"),
        ("bench sim --num-envs 99999999999999999", "--num-envs is"),
        ("bench collectors --n-workers 99999999", "expected whole numbers from 1 to 1024"),
        ("play --blue sleep --observation ''", "--observation is ''; possible are corrected, official"),
        ("bench sim --num-envs 0", "--num-envs is '0': expected at least 1"),
        ("bench sim --seed -1", "--seed is '-1': expected at least 0"),
        ("bench sim --cyborg-path .", "holds no CybORG"),
        ("bench collectors --n-workers 0", "--n-workers is '0'"),
        ("bench collectors --updates 0", "--updates is '0': expected at least 1"),
        ("bench collectors --preset best", "unknown preset 'best'"),
        ("bench train --preset default,best", "unknown preset 'best'"),
        ("bench train --total-episodes 0", "--total-episodes is '0': expected at least 1"),
    ],
)
def test_refused(refused: Callable[..., None], arguments: str, words: str) -> None:
    refused(arguments, words)


def test_help_takes_the_place_of_a_command_that_is_not_given() -> None:
    for arguments in ([], ["bench"]):
        outcome = cageflow(*arguments)
        assert outcome.status == 2
        assert "Usage: cageflow" in outcome.out + outcome.err
        assert "cageflow: " not in outcome.err


# Folders and files that are there, but wrong.


def test_folder_that_holds_something(refused: Callable[..., None], tmp_path: Path, search_run: Run) -> None:
    (tmp_path / "notes").write_text("")
    refused("search --run-dir .", ". exists and is not empty: name a new folder")
    refused("search --run-dir notes", "notes is a file")
    refused("search --run-dir notes/run", "notes/run cannot be made a run folder: Not a directory")
    shutil.copytree(search_run.path, tmp_path / "run")
    refused("search --run-dir run", "name a new folder, or go on with the run in it by --resume run")


def test_folder_that_is_no_run(refused: Callable[..., None], tmp_path: Path) -> None:
    refused("search --resume .", ". is no run folder")
    config = tmp_path / "config.json"
    for content, words in (
        ("", "expected JSON"),
        ('{"red_agent": "B_li', "expected JSON"),
        ("[]", "expected one JSON object, got list"),
        ('{"name": "mine"}', "config.json is not the configuration of a run: unknown setting 'name'"),
        ('{"seed": -1}', "config.json is not the configuration of a run: seed is -1"),
    ):
        config.write_text(content)
        refused("search --resume .", words)


def test_run_whose_files_were_changed(refused: Callable[..., None], tmp_path: Path, search_run: Run) -> None:
    shutil.copytree(search_run.path, tmp_path / "run")
    refused("train --resume run", "run is a run of `cageflow search`: go on with `cageflow search --resume run`")
    refused("search --resume run --total-episodes 0", "--total-episodes is 0: expected at least 1")
    state = tmp_path / "run" / "checkpoint" / "run.state"
    whole = state.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"something else", b"\x00" * 5000):
        state.write_bytes(content)
        refused("search --resume run", "run.state is damaged, or no checkpoint of this version")
    learner = next((tmp_path / "run" / "checkpoint").glob("learner_*.state"))
    state.write_bytes(learner.read_bytes())
    refused("search --resume run", "run.state is damaged, or no checkpoint of this version")
    state.write_bytes(whole)
    log = tmp_path / "run" / "training_log.csv"
    log.write_bytes(log.read_bytes()[:-1])
    refused("search --resume run", "training_log.csv has ")


def test_training_that_is_to_change_its_length(refused: Callable[..., None], plain_run: Run) -> None:
    refused(f"train --resume {plain_run.path} --total-episodes 50", "the episodes of a training cannot be changed")
    refused(f"search --resume {plain_run.path}", "go on with `cageflow train --resume")


def test_settings_file_that_is_wrong(refused: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    for content, words in (
        (b"", "settings.yaml holds nothing"),
        (b"- 1", "settings.yaml holds a list"),
        (bytes(range(256)), "settings.yaml: it is no text in UTF-8"),
        (b"seed: [1", "settings.yaml, line 1: expected YAML"),
        (b"colour: red", "settings.yaml: unknown setting 'colour': choose from address"),
        (b"seed: many", "settings.yaml: seed is 'many': expected a whole number"),
        (b"ppo: {gamma: 2}", "settings.yaml: gamma is 2"),
        (f"workflow: {ORDER}".encode(), "a search picks its own: leave it out"),
    ):
        path.write_bytes(content)
        refused("search --config settings.yaml", words)


def test_network_file_that_is_wrong(refused: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    for content, words in (
        (b"", "network.yaml, line 1"),
        (b"hosts: 3", "network.yaml, line 1: name: expected this key, which is missing"),
        (bytes(range(256)), "network.yaml: expected a readable YAML file"),
    ):
        path.write_bytes(content)
        for command in ("search", "train --no-workflow", "play"):
            refused(f"{command} --scenario network.yaml", words)


def test_recording_that_is_wrong(refused: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "file.npz"
    whole = (DATA / "v2.1_SleepAgent_quiet_100.npz").read_bytes()
    for content in (b"", b"something else", whole[:-300], whole[: len(whole) // 2]):
        path.write_bytes(content)
        refused("parity file.npz", "file.npz cannot be read as an .npz file of recorded episodes")
    np.savez(path, numbers=np.arange(3))
    refused("parity file.npz", "file.npz is no recording of episodes: it lacks meta, blue_action")


def test_policy_that_is_wrong(refused: Callable[..., None], tmp_path: Path, plain_run: Run) -> None:
    whole = Path(plain_run.result["policy"]).read_bytes()
    path = tmp_path / "policy.safetensors"
    for content in (b"", b"something else", whole[:20], whole[:-1], whole[: len(whole) // 2], whole + b"more"):
        path.write_bytes(content)
        refused("play --blue policy.safetensors", "is no policy file or is truncated")
    save_file({"weight": np.zeros(3, np.float32)}, path)
    refused("play --blue policy.safetensors", "is a safetensors file, but not a policy written by cageflow")
    save_file({"weight": np.zeros(3, np.float32)}, path, {"cageflow": json.dumps({"format_version": 1})})
    refused("play --blue policy.safetensors", "its header is not one that cageflow writes")
    policy = load_policy(plain_run.result["policy"])
    weight, bias = policy.layers[0]
    save_policy(path, Policy(policy.card, [(weight[:, :-2], bias), *policy.layers[1:]]))
    refused("play --blue policy.safetensors", "has 50 inputs and 145 actions, but its card says 52 and 145")
    save_policy(path, policy)
    refused("play --blue policy.safetensors --observation official", "give --observation corrected")


@pytest.mark.parametrize(
    "command", ["evaluate {}", "parity {}", "report {}", "search --config {}", "search --resume {}"]
)
def test_name_of_5000_characters__is_a_sentence(command: str) -> None:
    outcome = cageflow(*command.format("n" * 5000).split())
    assert outcome.status == 2, outcome
    assert outcome.err.startswith("cageflow: ") and outcome.err.count("\n") == 1
