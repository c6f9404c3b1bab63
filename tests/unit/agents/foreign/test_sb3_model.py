"""Models of Stable-Baselines3: told from their file, asked many games at once, refused where they do not fit."""

import zipfile
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from stable_baselines3 import A2C, DQN, PPO, TD3

from cageflow.agents.foreign.sb3_model import Sb3Player, algorithm_of
from cageflow.agents.foreign.wire import Shown
from cageflow.errors import UserError

REQUEST = {"num_observations": 52, "actions": ["a"] * 145, "deterministic": True}
CODE = "the code in this pickle ran"


class Games(gym.Env[Any, Any]):
    """Spaces alone."""

    def __init__(self, num_actions: int | None = 145) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (52,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (2,)) if num_actions is None else spaces.Discrete(num_actions)

    def action_masks(self) -> np.ndarray:
        return np.ones(145, np.bool_)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Path]]:
    folder, made = tmp_path_factory.mktemp("models"), {}
    for kind in (PPO, A2C, DQN, MaskablePPO):
        settings = {"buffer_size": 10} if kind is DQN else {}
        model = kind("MlpPolicy", Games(), device="cpu", seed=0, policy_kwargs={"net_arch": [8]}, **settings)
        path = folder / f"{kind.__name__}.zip"
        model.save(path)
        made[kind.__name__] = model, path
    return made


@pytest.mark.parametrize("name", ["PPO", "A2C", "DQN", "MaskablePPO"])
def test_model__is_told_and_plays_as_its_library_does(name: str, models: dict[str, tuple[Any, Path]]) -> None:
    model, path = models[name]
    assert algorithm_of(path) == name
    player = Sb3Player(path, REQUEST)
    bits = np.random.default_rng(0).integers(0, 2, (30, 52)).astype(np.uint8)
    masks = np.ones((30, 145), np.uint8)
    masks[:, ::2] = 0
    player.reset(np.arange(30, dtype=np.uint64))
    actions = player.act(Shown(0, bits, np.full(30, -1), masks))
    named = {"action_masks": masks.astype(bool)} if name == "MaskablePPO" else {}
    assert np.array_equal(actions, model.predict(bits.astype(np.float32), deterministic=True, **named)[0])
    assert player.wants_masks == (name == "MaskablePPO")
    assert not player.wants_masks or (actions % 2 == 1).all()


def test_model_of_other_games__is_refused(tmp_path: Path) -> None:
    PPO("MlpPolicy", Games(7), device="cpu", policy_kwargs={"net_arch": [8]}).save(tmp_path / "seven.zip")
    with pytest.raises(UserError, match=r"trained with observations of shape \(52,\) and 7 actions; the game has 52"):
        Sb3Player(tmp_path / "seven.zip", REQUEST)
    TD3("MlpPolicy", Games(None), device="cpu", buffer_size=10, policy_kwargs={"net_arch": [8]}).save(
        tmp_path / "td3.zip"
    )
    with pytest.raises(
        UserError, match=r"an algorithm that is not known here, .* known are PPO, A2C, DQN, MaskablePPO"
    ):
        Sb3Player(tmp_path / "td3.zip", REQUEST)


@pytest.mark.parametrize("content", [None, "", "[1]", "[" * 1000, '{"policy_class": {"__module__": 3}}'])
def test_what_is_no_model__is_refused(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    if content is None:
        path.write_bytes(b"PK nothing")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("data", content)
    with pytest.raises(UserError, match="is no model of Stable-Baselines3|is not known here"):
        Sb3Player(path, REQUEST)
