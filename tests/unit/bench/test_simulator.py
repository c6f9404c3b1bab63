"""`bench sim`: the keys that others read, and figures that hang together."""

import json

import pytest

from cageflow.bench import simulator as benchmark
from cageflow.envs.options import GameOptions
from cageflow.errors import UserError


@pytest.fixture
def result(monkeypatch):
    monkeypatch.setattr(benchmark, "_compile_s", lambda: (7.5, 0.3))
    monkeypatch.setattr(benchmark, "SINGLE_EPISODES", 2)
    told = []
    result = benchmark.bench_sim(GameOptions(max_steps=5), num_envs=64, threads=[1, 2], repeats=3, progress=told.append)
    assert any("2 threads" in one for one in told)
    return result


def test_result__has_the_documented_keys_and_is_json(result):
    assert {"steps_per_s", "state_bytes", "gym_step_us", "compile_s"} <= result.keys()
    assert list(result["steps_per_s"]) == ["1", "2"]
    assert result["state_bytes"] < 512
    assert (result["compile_s"], result["cached_compile_s"]) == (7.5, 0.3)
    assert result["cyborg"] is None
    assert json.loads(json.dumps(result)) == result


def test_median__lies_within_its_spread(result):
    spread = result["spread"]
    pairs = [(result["steps_per_s"][threads], one) for threads, one in spread["steps_per_s"].items()]
    pairs += [(result[name], spread[name]) for name in ("vector_steps_per_s", "gym_step_us")]
    for median, one in pairs:
        assert 0 < one["min"] <= one["median"] <= one["max"]
        assert median == one["median"]


def test_words__give_the_figures(result):
    result["steps_per_s"] = {"1": 14.0e6, "2": 25.5e6}
    words = benchmark.format_sim(result)
    assert "14.00 million steps/s" in words and "25.50 million steps/s" in words
    assert "7.50 s, 0.30 s from the cache" in words
    assert "700 steps/s (documented, not measured here); one thread here does 20,000 times as many" in words
    result["cyborg"] = {"steps_per_s": 500.0, "ratio": 28000.0}
    assert "500 steps/s; one thread here does 28,000 times as many" in benchmark.format_sim(result)


def test_rates__are_steps_over_seconds(monkeypatch):
    clock = iter([0.0, 1.0, 10.0, 14.0, 20.0, 22.0])
    monkeypatch.setattr(benchmark.time, "perf_counter", lambda: next(clock))
    assert benchmark._rates(lambda: None, 8, 3) == {"min": 2.0, "median": 4.0, "max": 8.0}


@pytest.mark.parametrize("name", ["num_envs", "repeats", "threads"])
def test_number_below_one__is_refused(name):
    with pytest.raises(UserError, match=f"{name} is 0; expected a whole number from 1"):
        benchmark.bench_sim(**{name: [0] if name == "threads" else 0})


def test_cyborg_elsewhere__is_refused_before_anything_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "_compile_s", lambda: pytest.fail("measured before the folder was looked at"))
    with pytest.raises(UserError, match="holds no CybORG"):
        benchmark.bench_sim(cyborg_path=tmp_path)
    with pytest.raises(UserError, match="CybORG plays its own network"):
        benchmark.bench_sim(GameOptions(scenario="mine.yaml"), cyborg_path=tmp_path)


@pytest.mark.slow
def test_compilation__takes_longer_with_an_empty_cache():
    compile_s, cached_compile_s = benchmark._compile_s()
    assert compile_s > 2 * cached_compile_s > 0


@pytest.mark.cyborg
def test_cyborg__is_measured_where_it_is_given(cyborg_path, monkeypatch):
    monkeypatch.setattr(benchmark, "_compile_s", lambda: (0.0, 0.0))
    result = benchmark.bench_sim(num_envs=64, threads=[1], repeats=1, cyborg_path=cyborg_path)
    assert result["cyborg"]["ratio"] == result["steps_per_s"]["1"] / result["cyborg"]["steps_per_s"]
    assert 10 < result["cyborg"]["steps_per_s"] < 100_000


def test_durations__are_played_and_named_and_no_original_has_them(monkeypatch, tmp_path):
    monkeypatch.setattr(benchmark, "_compile_s", lambda: (7.5, 0.3))
    monkeypatch.setattr(benchmark, "SINGLE_EPISODES", 1)
    options = GameOptions(max_steps=5, durations="cage4")
    result = benchmark.bench_sim(options, num_envs=8, threads=[1], repeats=1)
    assert (result["durations"], result["network"]) == ("cage4", options.network.identity.to_json())
    assert "CAGE Challenge 2, Scenario2, 13 hosts, durations cage4" in benchmark.format_sim(result)
    with pytest.raises(UserError, match="durations is 'cage4', but each action of CybORG takes one step"):
        benchmark.bench_sim(options, cyborg_path=tmp_path)
