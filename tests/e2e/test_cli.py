"""The command line: what each command prints, how it ends, what its help says."""

import contextlib
import csv
import io
import os
import pty
import re
import shutil
import subprocess
import sys
import termios
from pathlib import Path

import pytest
import typer

from cageflow import __version__
from cageflow.cli import app, main
from cageflow.learn.compiled_learner import CompiledLearner
from cageflow.learn.policy_file import load_policy
from cageflow.parity.recording import FIELDS, load_recording, save_recording
from cageflow.settings.commands import COMMANDS as RUNS
from cageflow.settings.commands import SearchConfig
from tests.e2e.command_line import cageflow
from tests.e2e.conftest import TINY, Run

DATA = Path(__file__).parents[1] / "data"
RECORDING = DATA / "v2.1_SleepAgent_quiet_100.npz"
WORKFLOW = "user,op_host,op_server,enterprise,defender"
COMMANDS = [
    "search",
    "train",
    "landscape",
    "universal",
    "champion",
    "baseline",
    "evaluate",
    "exploit",
    "duel",
    "compare",
    "report",
    "regret",
    "export",
]
COMMANDS += ["parity", "record", "play", "watch", "bench", "network"]
COMMANDS += ["network import", "network generate", "network check", "network show"]
COMMANDS += ["bench sim", "bench cuda", "bench collectors", "bench train", "bench peers"]


def command(name: str) -> typer.core.TyperCommand:
    """What Typer made of a command, such as "bench sim"."""
    found = typer.main.get_command(app)
    for part in name.split():
        found = found.commands[part]  # type: ignore[attr-defined]
    return found  # type: ignore[return-value]


NO_TORCH = """
import sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise AssertionError("torch is imported")

sys.meta_path.insert(0, Refusing())
from cageflow.cli import main
main(sys.argv[1:])
"""


def test_search__needs_no_torch_nor_do_its_workers_and_what_is_trained_beside(tmp_path: Path) -> None:
    lengths = [
        "--total-episodes",
        32,
        "--max-episodes-per-workflow",
        16,
        "--parallel-workflows",
        2,
        "--compare-plain",
        1,
    ]
    arguments = ["search", *TINY, *lengths, "--run-dir", tmp_path / "run", "--json"]
    run = subprocess.run(
        [sys.executable, "-c", NO_TORCH, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "run" / "plain_ppo").is_dir()
    device = [*arguments[:-3], "--run-dir", tmp_path / "other", "--device", "cuda"]
    planted = subprocess.run([sys.executable, "-c", NO_TORCH, *map(str, device)], capture_output=True, check=False)
    assert planted.returncode != 0 and b"torch is imported" in planted.stderr


# Help.


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_of_every_command_can_be_read_in_80_columns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    outcome = cageflow(*name.split(), "--help")
    assert (outcome.status, outcome.err) == (0, "")
    assert max(len(line) for line in outcome.out.splitlines()) <= 80
    for option in (option for param in command(name).params for option in param.opts if option.startswith("--")):
        assert re.search(rf"{option}(?![\w-])", outcome.out), f"{option} is cut off or missing"


def test_all_commands_are_known_and_listed() -> None:
    listed = cageflow("--help").out
    found = list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert found == [name for name in COMMANDS if " " not in name]
    for name in found:
        assert re.search(rf"│ {name} ", listed)


def test_help_says_what_the_exit_statuses_mean() -> None:
    words = " ".join(cageflow("--help").out.split())
    assert "Exit status: 0 done; 1 a check failed or a run broke down" in words
    assert "2 wrong input, nothing was written; 130 or 143 stopped by Ctrl-C or SIGTERM" in words


def test_version_is_printed() -> None:
    assert cageflow("--version") == (0, f"cageflow {__version__}\n", "")


OTHER_DEFAULTS = {
    "green": "no-green",
    "green_share": "as green says",
    "red_mixture": "the red agent",
    "episodes_per_update": "the preset's",
    "strategy": "curves; gp-ucb where orders are rewarded",
    "workflow_mode": "enforced; rewarded with the preset reference or where the reward or its threshold is set",
    "alignment_lambda": "5; 30 with the preset reference",
    "parallel_workflows": "2; 1 with --executor inline, or where the collector has processes of its own",
    "executor": "process; inline for one at a time",
    "address": "a new one on this machine",
    "rungs": "an eighth, a quarter, a half and all of a training's episodes",
    "final_episodes": "0; half of the total is a good choice where the policy counts as well as the answer",
    "compare_plain": "1, a landscape's repetitions; 0 where they would cost over a quarter of the run",
}


@pytest.mark.parametrize("name", ["search", "train", "landscape", "universal", "bench train", "bench collectors"])
def test_defaults_in_the_help_are_those_of_the_settings(name: str) -> None:
    fields = RUNS.get(name, SearchConfig).model_fields
    shown = {}
    for param in command(name).params:
        default = re.search(r"\\\[default: (.*)\]\[/dim\]$", param.help or "")
        if param.default is None and param.name in fields:
            shown[param.name] = default[1] if default else None
    assert len(shown) >= 5
    for setting, words in shown.items():
        expected = OTHER_DEFAULTS.get(setting, fields[setting].default)
        assert words == (None if expected is None else str(expected)), setting


@pytest.mark.parametrize("name", RUNS)
def test_every_setting_has_an_option_and_every_option_of_a_run_is_a_setting(name: str) -> None:
    implied = {"strategy", "total_episodes", "min_episodes_per_trial", "patience_updates"}
    only_in_files = {"command", "ppo", "min_improvement"} | (implied if name == "landscape" else set())
    not_settings = {"config", "run_dir", "resume", "quiet", "as_json", "no_workflow", "against", "help", "wandb"}
    options = {param.name for param in command(name).params}
    assert options - not_settings == RUNS[name].model_fields.keys() - only_in_files


# Runs.


def test_search_prints_one_object_and_its_words_elsewhere(search_run: Run) -> None:
    result = search_run.result
    assert list(result)[:2] == ["run_dir", "best_workflow"]
    assert result["best_workflow"] == (result["workflow"] if result["feasible"] else None)
    assert {"reward", "reward_se", "compliance", "episodes", "seconds", "episodes_per_s"} <= result.keys()
    assert result["run_dir"] == str(search_run.path)
    assert (result["episodes"], result["trials"]) == (60, 3)
    assert result["episodes_per_s"] == pytest.approx(60 / result["seconds"])
    policy = load_policy(result["policy"])
    assert policy.card.workflow == result["workflow"]
    assert search_run.words.startswith(
        "Searching 120 workflows on CAGE Challenge 2, Scenario2, each action takes one step, orders rewarded, against "
        "B_lineAgent, rules v2.1, seed 2: "
    )
    assert search_run.words.count("\ntrial ") == 3


def test_search_names_the_best_workflow_its_reward_its_compliance_and_the_run_folder(search_run: Run) -> None:
    outcome = cageflow("search", "--resume", search_run.path)
    assert (outcome.status, outcome.err) == (0, "")
    result = search_run.result
    words = " ".join(outcome.out.split())
    what = "Best workflow" if result["feasible"] else "No workflow complied; closest"
    assert f"{what} {result['workflow'].replace(',', ' > ')} " in words
    assert f"reward {result['reward']:.2f} ± {result['reward_se']:.2f}" in words
    assert f"compliance {result['compliance']:.1%}" in words
    assert result["tested_fixes"] >= 0.0
    assert result["tested_compliance"] is None or 0.0 <= result["tested_compliance"] <= 1.0
    assert "training 60 episodes in 3 trials, all of them before" in words
    answer = " ".join(result["answer"])
    assert words.endswith(f"policy {result['policy']} run folder {search_run.path} {answer[0].upper()}{answer[1:]}")


def test_quiet_search_says_nothing_but_the_result(search_run: Run) -> None:
    outcome = cageflow("search", "--resume", search_run.path, "--quiet", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    same = ("best_workflow", "workflow", "reward", "reward_se", "compliance", "episodes", "policy")
    assert {name: outcome.json[name] for name in same} == {name: search_run.result[name] for name in same}


def test_search_with_a_larger_budget_goes_on_with_its_run(search_run: Run, tmp_path: Path) -> None:
    shutil.copytree(search_run.path, tmp_path / "run")
    outcome = cageflow("search", "--resume", tmp_path / "run", "--total-episodes", 80, "--quiet", "--json")
    assert outcome.status == 0
    assert outcome.json["episodes"] == 80
    assert outcome.json["episodes_per_s"] == pytest.approx(20 / outcome.json["seconds"])


def test_training_of_a_workflow_ends_with_its_policy(tmp_path: Path) -> None:
    outcome = cageflow("train", "--workflow", WORKFLOW, "--total-episodes", 16, *TINY, "--json", "--run-dir", tmp_path)
    assert outcome.status == 0
    assert outcome.json["workflow"] == load_policy(outcome.json["policy"]).card.workflow == WORKFLOW
    assert outcome.json["ending"] in ("budget", "threshold")
    assert 0 <= outcome.json["compliance"] <= 1


def test_plain_training_has_no_workflow_and_no_compliance(plain_run: Run) -> None:
    result = plain_run.result
    assert (result["workflow"], result["compliance"]) == (None, None)
    assert (result["ending"], result["episodes"]) == ("budget", 20)
    assert load_policy(result["policy"]).card.workflow is None
    words = cageflow("train", "--resume", plain_run.path, "--quiet").out
    assert "Plain PPO\n" in words
    assert "compliance" not in words


def test_plain_training_overrules_the_workflow_of_a_settings_file(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(f"workflow: {WORKFLOW}\ntotal_episodes: 8\npreset: reference\n")
    arguments = ["train", "--config", tmp_path / "settings.yaml", *TINY, "--json"]
    for flags, workflow in ((["--no-workflow"], None), ([], WORKFLOW)):
        outcome = cageflow(*arguments, *flags, "--run-dir", tmp_path / f"run{len(flags)}")
        assert (outcome.json["workflow"], outcome.json["episodes"]) == (workflow, 8)
        assert load_policy(outcome.json["policy"]).card.preset == "reference"


def test_run_that_breaks_down_ends_with_one_and_the_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = CompiledLearner.step  # settings that do this are refused
    monkeypatch.setattr(
        CompiledLearner, "step", lambda self, number, rate, *rest: step(self, number, 1e30 * rate, *rest)
    )
    (tmp_path / "settings.yaml").write_text("preset: reference\ntotal_episodes: 16\n")
    run = tmp_path / "my run"
    outcome = cageflow("train", "--no-workflow", "--config", tmp_path / "settings.yaml", *TINY, "--run-dir", run)
    assert outcome.status == 1
    assert re.fullmatch(r"cageflow: plain PPO: update \d: .*; what was done before is in .*my run\n", outcome.err)
    assert (run / "config.json").exists()


def test_run_in_a_terminal_stops_by_ctrl_c_with_a_checkpoint_and_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    arguments = ["train", "--no-workflow", "--total-episodes", "1600", *map(str, TINY), "--run-dir", str(run)]
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    process = subprocess.Popen(
        [sys.executable, "-m", "cageflow", *arguments],
        preexec_fn=lambda: os.login_tty(end),  # so that Ctrl-C is a signal
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(end)
    shown, pressed, log = b"", False, run / "training_log.csv"
    while piece := read(terminal):
        shown += piece
        if not pressed and log.exists() and log.read_bytes().count(b"\n") >= 3:
            os.write(terminal, b"\x03")
            pressed = True
    os.close(terminal)
    assert process.wait() == 130
    words = shown.decode()
    assert re.search(r"\d+/1,600.* episodes", words)
    assert "plain PPO  update " in words
    assert "".join(f"cageflow: stopped by SIGINT; go on with `cageflow train --resume {run}`".split()) in "".join(
        words.split()
    )
    done = len(log.read_text().splitlines()) - 1
    assert 2 <= done < 200
    assert cageflow("train", "--resume", run, "--quiet").status == 0
    with log.open() as file:
        assert [int(row["Update"]) for row in csv.DictReader(file)] == list(range(1, 201))


def read(terminal: int) -> bytes:
    """What a terminal shows next; nothing once its other end is closed."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_terminal_without_the_characters_gets_others(search_run: Run) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as end:
        main(["search", "--resume", str(search_run.path), "--quiet"])
    assert end.value.code == 0
    out.seek(0)
    assert re.search(r"reward +-\d+\.\d\d \? \d", out.read())


# Parity.


def test_parity_of_recordings_that_agree_is_zero() -> None:
    files = [RECORDING, DATA / "challenge_SleepAgent_quiet_100.npz"]
    shapes = [load_recording(file).blue_action.shape for file in files]
    num_episodes = sum(episodes for episodes, _ in shapes)
    num_steps = sum(episodes * steps for episodes, steps in shapes)
    outcome = cageflow("parity", *files)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-1] == f"mismatches 0 in {num_steps} steps of {num_episodes} episodes"


def test_parity_of_a_recording_with_one_value_changed_is_one(tmp_path: Path) -> None:
    changed = tmp_path / "changed.npz"
    recording = load_recording(RECORDING)
    recording.reward[1, 57] -= 1.0
    save_recording(changed, recording)
    outcome = cageflow("parity", RECORDING, changed, "--json")
    assert outcome.status == 1
    num_episodes, num_steps = 2 * len(recording.reward), 2 * recording.reward.size
    assert outcome.json == {"files": 2, "episodes": num_episodes, "steps": num_steps, "mismatches": 1}
    assert outcome.err.splitlines()[-1] == f"mismatches 1 in {num_steps} steps of {num_episodes} episodes"
    assert re.search(r"reward +1 mismatch", outcome.err)
    assert "blue_action[1, 57] of the file" in outcome.err


def test_parity_prints_a_line_for_every_field_of_a_file() -> None:
    out = cageflow("parity", RECORDING).out
    for name in FIELDS.keys() - {"blue_action"}:
        assert re.search(rf"^ +{name} +0 mismatches$", out, re.MULTILINE), name


# Playing.


def test_play_shows_every_step_and_the_return(plain_run: Run) -> None:
    policy = plain_run.result["policy"]
    for blue in ("sleep", "random", policy):
        outcome = cageflow("play", "--blue", blue, "--max-steps", 7, "--seed", 3)
        assert (outcome.status, outcome.err) == (0, "")
        assert re.search(r"return -?\d+\.\d in 7 steps", outcome.out)
    again = cageflow("play", "--blue", policy, "--max-steps", 7, "--seed", 3)
    assert again.out == outcome.out


# Measuring.


def test_bench_sim_prints_the_figures_of_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cageflow.bench.simulator._compile_s", lambda: (1.0, 0.1))  # which takes its time
    outcome = cageflow("bench", "sim", "--num-envs", 64, "--num-threads", "1,2", "--repetitions", 1, "--json")
    assert outcome.status == 0
    assert {"steps_per_s", "state_bytes", "gym_step_us", "compile_s"} <= outcome.json.keys()
    assert outcome.json["steps_per_s"].keys() == {"1", "2"}
    assert outcome.json["state_bytes"] < 512


def test_bench_train_prints_one_object_a_preset_under_its_name() -> None:
    outcome = cageflow("bench", "train", "--preset", "reference", "--total-episodes", 200, "--json")
    assert outcome.status == 0
    assert outcome.json.keys() == {"reference"}
    figures = outcome.json["reference"]
    assert {"episodes_per_s", "update_share", "collect_share", "peak_memory_mb"} <= figures.keys()
    assert figures["episodes_per_s"] == pytest.approx(200 / figures["seconds"])
    assert 0 < figures["update_share"] + figures["collect_share"] < 1


def test_bench_collectors_measures_each_once_for_every_number_of_workers() -> None:
    arguments = ["--n-workers", "1", "--updates", 1, "--episodes-per-update", 4]
    outcome = cageflow("bench", "collectors", *arguments, "--json")
    assert outcome.status == 0
    cells = outcome.json["cells"]
    assert [cell["collector"] for cell in cells] == ["vector", "process", "sync", "sequential"]
    for cell in cells:
        assert cell["episodes_per_s"] > 0
        shares = [cell[name] for name in cell if name.endswith("_share")]
        assert len(shares) == 4
        assert all(share >= 0 for share in shares)
