"""The settings of a run: what is refused, in which words, and what a file may say."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from cageflow.collect import WorkflowSpec
from cageflow.errors import UserError
from cageflow.settings.commands import COMMANDS, SearchConfig, TrialsConfig
from cageflow.settings.presets import find_preset
from cageflow.settings.reading import make_config, read_config, renamed_settings

ORDER = "defender,enterprise,op_server,op_host,user"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"red_agent": "blue"}, "'blue' is no red agent; possible are B_lineAgent (bline)"),
        ({"red_mixture": "bline"}, "red_mixture has 'bline' without a weight"),
        ({"green_share": 1.5}, "green_share is 1.5"),
        ({"simulator": "cyborg", "cyborg_path": "x", "green_share": 0.5}, "all of CybORG's have one red and one green"),
        ({"rules": "v3"}, "rules is 'v3'; possible are v2.1, challenge, mixed"),
        ({"observation": "truth"}, "observation is 'truth'; possible are corrected, official"),
        ({"max_steps": 0}, "max_steps is 0: expected at least 1"),
        ({"max_steps": 40_000}, "max_steps is 40000; an episode has 1 to 30000 steps"),
        ({"max_steps": 3}, "max_steps is 3, fewer than the learner's 4 minibatches: give at least 4 steps"),
        ({"green": "maybe"}, "green is 'maybe': expected true or false"),
        ({"seed": -1}, "seed is -1: expected at least 0"),
        ({"seed": 2**63}, f"seed is {2**63}: expected less than {2**63}"),
        ({"seed": True}, "seed is True: only green is true or false"),
        ({"total_episodes": 0}, "total_episodes is 0: expected at least 1"),
        ({"total_episodes": "many"}, "total_episodes is 'many': expected a whole number"),
        ({"total_episodes": 20.5}, "total_episodes is 20.5: expected a whole number"),
        ({"command": "search", "workflow": ORDER}, "a search picks its own: leave it out, or use train"),
        ({"command": "train", "workflow": "defender,user"}, "lacks 'enterprise' and 'op_server' and 'op_host'"),
        ({"command": "train", "workflow": ORDER + ",user"}, "names 'user' twice"),
        ({"command": "train", "workflow": ORDER.replace("user", "users")}, "names 'users', which is no unit type"),
        ({"alignment_lambda": -1.0}, "alignment_lambda is -1.0: expected at least 0"),
        ({"alignment_lambda": float("inf")}, "alignment_lambda is inf: expected a finite number"),
        ({"compliance_threshold": 1.5}, "compliance_threshold is 1.5: expected at most 1"),
        ({"compliance_definition": "some"}, "unknown compliance definition 'some': choose one of any-session"),
        ({"max_episodes_per_workflow": 0}, "max_episodes_per_workflow is 0: expected at least 1"),
        ({"patience_updates": 0}, "patience_updates is 0: expected at least 1"),
        ({"evaluation_episodes": 1}, "evaluation_episodes is 1: expected at least 2"),
        ({"preset": "best"}, "unknown preset 'best': choose one of champion, default, reference"),
        ({"episodes_per_update": 0}, "episodes_per_update is 0: expected at least 1"),
        ({"ppo": {"gama": 0.9}}, "unknown PPO setting 'gama': choose from activation"),
        ({"ppo": {"gamma": 2.0}}, "gamma is 2.0: expected a number of at least 0 and at most 1"),
        ({"ppo": 3}, "ppo is 3: expected names and values"),
        ({"device": "meta"}, "unknown device 'meta': choose cpu, cuda, or cuda:N"),
        ({"num_threads": 10**6}, "num_threads is 1000000: expected at most 1024"),
        ({"beta": float("nan")}, "beta is nan: expected a finite number"),
        ({"gate": "soft"}, "gate is 'soft': expected 'feasibility' or 'strict'"),
        ({"collector": "threads"}, "unknown collector 'threads': choose one of vector, process, sync, sequential"),
        ({"n_workers": 0}, "n_workers is 0: expected at least 1"),
        ({"max_staleness": -1}, "max_staleness is -1: expected at least 0"),
        ({"simulator": "real"}, "simulator is 'real': expected 'compiled' or 'cyborg'"),
        ({"simulator": "cyborg"}, "--simulator cyborg and --cyborg-path DIR go together"),
        ({"cyborg_path": "somewhere"}, "--simulator cyborg and --cyborg-path DIR go together"),
        (
            {"simulator": "cyborg", "cyborg_path": "somewhere", "scenario": "mine.yaml"},
            "scenario is 'mine.yaml', but CybORG plays its own",
        ),
        (
            {"simulator": "cyborg", "cyborg_path": "somewhere", "durations": "cage4"},
            "durations is 'cage4', but each action of CybORG takes one step",
        ),
        ({"durations": "slow"}, "durations is 'slow'; expected file, cage4, blue-cage4, or whole numbers from 1 to"),
        ({"colour": "red"}, "unknown setting 'colour': choose from address, alignment_lambda, beta"),
    ],
)
def test_setting_that_cannot_be_used_is_refused_in_one_sentence(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        make_config({"workflow_mode": "rewarded", **settings})
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_settings_that_are_given_go_before_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("seed: 5\ntotal_episodes: 3e3\nbeta: 1e-1\nppo: {learning_rate: 1e-4, hidden_sizes: [32]}\n")
    config = make_config({"seed": 7, "rules": None}, path)
    assert (config.seed, config.total_episodes, config.beta, config.rules) == (7, 3000, 0.1, "v2.1")
    assert config.learner() == find_preset("default", {"learning_rate": 1e-4, "hidden_sizes": [32]}).learner


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- 1\n- 2\n", "holds a list: expected settings by name"),
        (b"", "holds nothing: expected settings by name"),
        (b"seed\n", "holds a str: expected settings by name"),
        (bytes(range(256)), "is no text"),
        (b"\x00", "is no text"),
        (b"seed: [1\n", "line 2: expected YAML"),
        (b"seed: 1\nseed: 2\n", "line 2: expected each key once, got seed again"),
        (b"1: 2\n", "1 is no name of a setting"),
        (b"redagent: bline\n", "unknown setting 'redagent'"),
        (b"seed: yes\n", "seed is True"),
        (b"total_episodes: many\n", "total_episodes is 'many': expected a whole number"),
        (b"!!python/object/apply:os.getcwd []\n", "line 1: expected text, a number, a list or keys with values"),
    ],
)
def test_settings_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError) as refusal:
        make_config({}, path)
    assert str(refusal.value).startswith(str(path))
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_settings_file_that_is_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(UserError, match="cannot be read"):
            make_config({}, path)


def test_refusal_of_a_given_setting_does_not_blame_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("total_episodes: 100\n")
    with pytest.raises(UserError, match="^total_episodes is 0"):
        make_config({"total_episodes": 0}, path)


def test_configuration_of_a_run_is_read_back_and_serves_as_a_settings_file(tmp_path: Path) -> None:
    config = make_config(
        {"command": "train", "workflow": ORDER, "seed": 3, "ppo": {"gamma": 0.9}, "preset": "reference"}
    )
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**config.to_json(), "about": {"python": "3.11"}}))
    assert read_config(path) == config
    assert make_config({}, path) == config


def test_red_agents_short_name_plays_the_same_game() -> None:
    assert make_config({"red_agent": "meander"}).game() == SearchConfig(red_agent="RedMeanderAgent").game()


def test_weight_of_the_alignment_reward_comes_with_the_preset_unless_it_is_given() -> None:
    rewarded = {"workflow_mode": "rewarded"}
    assert make_config(rewarded).alignment_lambda == 5.0
    assert make_config({"preset": "reference"}).alignment_lambda == 30.0
    assert make_config({"preset": "reference", "alignment_lambda": 4.0}).alignment_lambda == 4.0
    assert make_config({"preset": "reference", "fixed_episodes": 100}).alignment_lambda == 0.0


def test_enforced_order__pays_nothing_and_has_no_threshold_to_reach() -> None:
    config = make_config({"workflow_mode": "enforced"})
    assert isinstance(config, SearchConfig)
    assert (config.alignment_lambda, config.compliance_threshold, config.gate) == (0.0, 0.0, "strict")
    assert not config.ends_by_compliance
    assert make_config({"workflow_mode": "rewarded"}).compliance_threshold == 0.95
    order = config.game().network.orders.unrank(5)
    assert config.workflow_spec(order) == WorkflowSpec(order, 0.0, "any-session", "enforced")


def test_preset_reference__rewards_orders_unless_they_are_to_be_enforced() -> None:
    assert make_config({"preset": "reference"}).workflow_mode == "rewarded"
    enforced = make_config({"preset": "reference", "workflow_mode": "enforced"})
    assert (enforced.workflow_mode, enforced.alignment_lambda) == ("enforced", 0.0)


@pytest.mark.parametrize("setting", ["alignment_lambda", "compliance_threshold"])
def test_enforced_order__refuses_what_only_a_rewarded_one_has(setting: str) -> None:
    with pytest.raises(
        UserError, match=f"{setting} is 0.5, but workflow_mode enforced sets it to 0.0: leave it out, or"
    ):
        make_config({"workflow_mode": "enforced", setting: 0.5})


def test_configuration_from_before_there_were_modes__is_of_rewarded_orders(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"command": "search", "strategy": "gp-ucb", "about": {"python": "3.11"}}))
    assert read_config(path).workflow_mode == "rewarded"
    assert make_config({}, path).workflow_mode == "rewarded"


@pytest.mark.parametrize("command", ["search", "landscape"])
def test_two_trials_run_at_once_unless_one_has_the_cores_to_itself(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # a seed's search is the same on every machine
    for settings, number, executor in (
        ({}, 2, "process"),
        ({"executor": "dask"}, 2, "dask"),
        ({"executor": "inline"}, 1, "inline"),
        ({"collector": "sync"}, 1, "inline"),
        ({"collector": "process"}, 1, "inline"),
        ({"collector": "process", "parallel_workflows": 3}, 3, "process"),
        ({"parallel_workflows": 1}, 1, "inline"),
    ):
        config = make_config({"command": command, **settings})
        assert isinstance(config, TrialsConfig)
        assert (config.parallel_workflows, config.trial_executor) == (number, executor), settings
        assert config.to_json()["parallel_workflows"] == number  # a run goes on with as many


def test_setting_under_its_old_name__is_read_and_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("n_seeds: 3\nseed: 4\n")
    assert make_config({"command": "landscape"}, path).repetitions == 3
    assert renamed_settings(path) == {"n_seeds": "repetitions"}
    assert "n_seeds" not in make_config({"command": "landscape"}, path).to_json()


@pytest.mark.parametrize("given", ["user > op_host > op_server > enterprise > defender", "reverse", "119", 119])
def test_workflow__is_read_however_it_is_written(given: object) -> None:
    order = "user,op_host,op_server,enterprise,defender"
    if given == "reverse":
        order = "user,op_host,enterprise,op_server,defender"
    assert make_config({"command": "train", "workflow": given}).workflow == order


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ppo": {"learning_rate": 1e38}}, "learning_rate is 1e+38: expected a number of more than 0 and at most 10"),
        ({"ppo": {"hidden_sizes": [10**7]}}, "hidden_sizes is 10000000: expected at most 4,096"),
        ({"ppo": {"hidden_sizes": [8] * 100}}, "hidden_sizes has 100 layers: expected at most 16"),
        ({"ppo": {"vf_coef": 1e30}}, "vf_coef is 1e+30"),
        ({"ppo": {"update_epochs": 10**9}}, "update_epochs is 1000000000: expected at most 10,000"),
        ({"episodes_per_update": 10**9}, "episodes_per_update is 1000000000: expected at most 1,000,000"),
        ({"episodes_per_update": 10**6, "max_steps": 1000}, "expected at most 100,000,000 steps in one update"),
        ({"max_steps": 10**9}, "max_steps is 1000000000: expected at most 100000"),
        ({"total_episodes": 10**15}, "total_episodes is 1000000000000000: expected at most 1000000000000"),
        ({"evaluation_episodes": 10**9}, "evaluation_episodes is 1000000000: expected at most 1000000"),
        ({"alignment_lambda": 1e38}, "alignment_lambda is 1e+38: expected at most 1000000"),
        ({"beta": 1e300}, "beta is 1e+300: expected at most 1000000"),
    ],
)
def test_settings_beyond_any_machine_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        make_config({"workflow_mode": "rewarded", **settings})
    assert message in str(refusal.value)


def test_durations_are_a_setting_of_the_game_that_a_run_keeps(tmp_path: Path) -> None:
    config = make_config({"durations": "cage4"})
    assert config.game().durations == "cage4"
    assert config.game().network.fingerprint != SearchConfig().game().network.fingerprint
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config.to_json()))
    assert read_config(path) == config


def test_game_is_read_once_and_anew_where_a_setting_changed() -> None:
    config = make_config({})
    game, pickled = config.game(), len(pickle.dumps(config))
    assert config.game() is game
    _ = game.network
    assert len(pickle.dumps(config)) == pickled  # a worker is sent the settings alone
    assert pickle.loads(pickle.dumps(config)).game() == game
    changed = config.model_copy(update={"durations": "blue-cage4"})
    assert changed.game().durations == "blue-cage4"
    assert changed.game().network.fingerprint != game.network.fingerprint
    assert config.model_copy() == config == make_config({})


@pytest.mark.parametrize(
    ("command", "setting", "value", "why"),
    [
        ("search", "workflow", ORDER, "but a search picks its own: leave it out, or use train"),
        ("universal", "workflow", ORDER, "but a universal policy follows any: leave it out"),
        ("universal", "start_from", "runs/one", "but a universal policy begins anew: leave it out"),
        ("train", "strategy", "random", "but `cageflow train` has no such setting: leave it out"),
        ("landscape", "fixed_episodes", 100, "but `cageflow landscape` has no such setting: leave it out"),
        ("search", "repetitions", 3, "but `cageflow search` has no such setting: leave it out"),
    ],
)
def test_setting_of_another_command__is_passed_over_at_its_default_and_refused_otherwise(
    tmp_path: Path, command: str, setting: str, value: object, why: str
) -> None:
    with pytest.raises(UserError, match=f"^{setting} is .*{why}"):
        make_config({"command": command, setting: value})
    path = tmp_path / "config.json"
    path.write_text(json.dumps({setting: value}))
    with pytest.raises(UserError, match=f"config.json: {setting} is .*{why}"):
        make_config({"command": command}, path)
    default = next(kind.model_fields[setting].default for kind in COMMANDS.values() if setting in kind.model_fields)
    assert make_config({"command": command, setting: default}) == make_config({"command": command})


@pytest.mark.parametrize("command", COMMANDS)
def test_folder_of_an_earlier_version__is_read_with_all_that_its_command_never_read(
    tmp_path: Path, command: str
) -> None:
    everything = {name: field.default for kind in COMMANDS.values() for name, field in kind.model_fields.items()}
    own = make_config({"command": command}).to_json()
    others = {"init": "nearest", "max_episodes_per_workflow": 77, "orders_per_update": 3, "repetitions": 2, "beta": 1.0}
    foreign = {name: value for name, value in others.items() if name not in own}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**everything, **own, **foreign}))
    assert read_config(path).to_json() == own


def test_command__is_one_of_those_that_train() -> None:
    with pytest.raises(UserError, match="^command is 'play': expected 'search', 'train', 'landscape' or 'universal'$"):
        make_config({"command": "play"})
    assert isinstance(make_config({}), SearchConfig)
    assert all(make_config({"command": name}).command == name for name in COMMANDS)


@pytest.mark.parametrize(
    ("given", "mode", "strategy"),
    [
        ({}, "enforced", "curves"),
        ({"strategy": "gp-ucb"}, "enforced", "gp-ucb"),
        ({"preset": "reference"}, "rewarded", "gp-ucb"),
        ({"compliance_threshold": 0.9}, "rewarded", "gp-ucb"),
        ({"gate": "strict"}, "rewarded", "gp-ucb"),
        ({"fixed_episodes": 200}, "rewarded", "gp-ucb"),
        ({"alignment_lambda": 5.0, "strategy": "curves"}, "rewarded", "curves"),
        ({"workflow_mode": "enforced", "preset": "reference"}, "enforced", "curves"),
    ],
    ids=str,
)
def test_mode_and_strategy_follow_from_what_is_given(given: dict[str, Any], mode: str, strategy: str) -> None:
    config = make_config({"command": "search", **given})
    assert isinstance(config, SearchConfig)
    assert (config.workflow_mode, config.strategy) == (mode, strategy)
    again = make_config(config.model_dump())
    assert again == config


def test_landscape_is_enforced_unless_the_reward_is_spoken_of() -> None:
    assert make_config({"command": "landscape"}).workflow_mode == "enforced"
    assert make_config({"command": "landscape", "alignment_lambda": 15.0}).workflow_mode == "rewarded"


def test_numbers_as_yaml_writes_them__imply_what_numbers_do() -> None:
    landscape = make_config(
        {"command": "landscape", "max_episodes_per_workflow": 2e3, "sample": 2e1, "repetitions": 3.0}
    )
    assert (landscape.total_episodes, landscape.min_episodes_per_trial) == (2000 * 20 * 3, 2000)
    assert make_config({"command": "search", "fixed_episodes": 1e2}).workflow_mode == "rewarded"
    assert make_config({"command": "search", "total_episodes": 3e3}).max_episodes_per_workflow == 3000
    with pytest.raises(UserError, match="max_episodes_per_workflow"):
        make_config({"command": "landscape", "max_episodes_per_workflow": 2.5})
