"""The example scripts of the documents run as they stand, in small sizes; test_export.py runs `defend_cyborg.py`."""

import runpy
import sys
from pathlib import Path

import pytest
import torch

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TESTED_ELSEWHERE = {"defend_cyborg.py", "my_red.py"}
SMALL = {
    "sb3_maskable_ppo.py": ["--num-envs", "4", "--max-steps", "8", "--total-timesteps", "64", "--episodes", "3"],
    "cleanrl_ppo.py": [
        *("--num-envs", "4", "--max-episode-steps", "8", "--num-steps", "12", "--total-timesteps", "96"),
        *("--num-minibatches", "2", "--update-epochs", "1"),
    ],
    "sb3_red.py": ["--num-envs", "2", "--max-steps", "8", "--total-timesteps", "32", "--episodes", "2"],
    "cleanrl_red.py": ["--num-envs", "4", "--max-episode-steps", "8", "--total-timesteps", "64"],
}
SAYS = {
    "sb3_maskable_ppo.py": "mean return -",
    "cleanrl_ppo.py": "update 2  steps 96  return -",
    "sb3_red.py": "mean return of red ",
    "cleanrl_red.py": "update 2  return of red ",
}
SAVES = {"sb3_maskable_ppo.py": "maskable_ppo.zip", "sb3_red.py": "red_ppo.zip"}


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == TESTED_ELSEWHERE | set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_example_trains_and_says_what_it_scores(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, *SMALL[name]])
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    torch.set_num_threads(num_threads)
    assert SAYS[name] in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == ({SAVES[name]} if name in SAVES else set())
