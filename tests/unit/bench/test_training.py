"""`bench collectors` and `bench train`: what figures are held against, and what is left out of them."""

import pytest

from cageflow.bench import training as benchmark
from cageflow.errors import UserError
from cageflow.settings.commands import TrainConfig
from cageflow.settings.reading import make_config_of

FIGURES = {
    "episodes_per_own_cpu_s": 800.0,
    "simulation_share": 0.9,
    "inference_share": 0.05,
    "transfer_share": 0.0,
    "update_share": 0.05,
}
CONFIG = make_config_of(TrainConfig, {"episodes_per_update": 4})


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    told = []

    def measure(config, updates, steps_per_s):
        told.append((config.collector, config.n_workers, steps_per_s))
        return {"episodes_per_s": 6.3 * config.n_workers, **FIGURES}

    monkeypatch.setattr(benchmark, "_time_collector", measure)
    return told


def test_slowed_games__are_held_against_workers_that_do_nothing_but_play(measured):
    result = benchmark.bench_collectors(CONFIG, [4, 16], 1, lambda words: None, ["process"], 700.0)
    assert measured == [("process", 4, 700.0), ("process", 16, 700.0)]
    assert [cell["ideal_share"] for cell in result["cells"]] == pytest.approx([0.9, 0.9])  # 7 episodes a second each
    assert [cell["over_sync"] for cell in result["cells"]] == [None, None]
    words = benchmark.format_collectors(result)
    assert words.startswith("compiled simulator slowed down to 700 steps/s, 4 episodes an update")
    assert words.splitlines()[2].split() == ["process", "4", "25.2", "90%", "5%", "0%", "5%", "800", "90%"]


def test_games_at_their_own_pace__have_no_ideal():
    result = benchmark.bench_collectors(CONFIG, [2], 1, lambda words: None)
    assert [cell["collector"] for cell in result["cells"]] == ["vector", "process", "sync", "sequential"]
    assert all("ideal_share" not in cell for cell in result["cells"])
    assert [cell["over_sync"] for cell in result["cells"]] == pytest.approx([0.5, 1.0, 1.0, 0.5])
    assert [cell["over_sequential"] for cell in result["cells"]] == pytest.approx([1.0, 2.0, 2.0, 1.0])


def test_unknown_collector__is_refused_before_any_is_measured(measured):
    with pytest.raises(UserError, match="unknown collector 'best': choose one of"):
        benchmark.bench_collectors(CONFIG, [2], 1, lambda words: None, ["process", "best"])
    assert measured == []


def test_search_that_had_to_compile__is_measured_once_more(monkeypatch):
    runs, told = iter([(9.0, True), (1.0, False), (2.0, False)]), []
    monkeypatch.setattr(benchmark, "_time_in_process", lambda settings: next(runs))
    found = benchmark.bench_train({"total_episodes": 1200}, ["default", "reference"], told.append)
    assert found == {"default": 1.0, "reference": 2.0}
    assert told[1] == "default: once more, since it had to compile"
