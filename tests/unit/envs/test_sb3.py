"""Our games as a vector environment of Stable-Baselines3: the library's own vector of single environments says what is
right, and its wrappers and learners, MaskablePPO among them, take it."""

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.evaluation import evaluate_policy as evaluate_masked
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    VecCheckNan,
    VecEnv,
    VecFrameStack,
    VecMonitor,
    VecNormalize,
    VecVideoRecorder,
)

import cageflow  # noqa: F401 - registers the environment
from cageflow.envs.sb3 import Cage2VecEnv
from cageflow.envs.single import Cage2Env
from cageflow.errors import UserError

ENV_ID = "cageflow/Cage2-v0"
GAME = {"red_agent": "RedMeanderAgent", "max_steps": 7}
B = 3


@pytest.fixture
def env() -> Cage2VecEnv:
    return Cage2VecEnv(B, **GAME)


def library_vector(**changes: object) -> DummyVecEnv:
    return DummyVecEnv([lambda: Cage2Env(**(GAME | changes))] * B)


def test_games__are_those_of_the_librarys_vector_of_single_environments(env: Cage2VecEnv) -> None:
    theirs, rng = library_vector(), np.random.default_rng(0)
    theirs._seeds = list(env.seed(5))
    np.testing.assert_array_equal(env.reset(), theirs.reset())
    assert env.reset_infos == theirs.reset_infos
    ends = 0
    for _ in range(20):
        np.testing.assert_array_equal(get_action_masks(env), get_action_masks(theirs))
        actions = rng.integers(145, size=B)
        step, expected = env.step(actions), theirs.step(actions)
        for one, other in zip(step[:3], expected[:3], strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype
        for info, other in zip(step[3], expected[3], strict=True):
            np.testing.assert_equal(info, other)
        assert env.reset_infos == theirs.reset_infos
        ends += step[2].sum()
    assert ends == 2 * B


def test_seed__counts_for_one_reset_and_sets_all_games_apart(env: Cage2VecEnv) -> None:
    first, other = env.seed(1), Cage2VecEnv(B, **GAME).seed(2)
    assert first == Cage2VecEnv(B, **GAME).seed(1)
    assert len({*first, *other}) == 2 * B
    env.reset()
    assert env.seed() == [None] * B


def test_questions_about_the_games__are_answered_for_each(env: Cage2VecEnv) -> None:
    theirs = library_vector()
    env.reset(), theirs.reset()
    for vector in (env, theirs):
        assert vector.get_attr("render_mode") == [None] * B
        assert vector.get_attr("action_names", indices=[1])[0][0] == "Sleep"
        assert [mask.shape for mask in vector.env_method("action_masks", indices=[0, 2])] == [(145,)] * 2
        assert vector.get_attr("action_masks", indices=1)[0]().shape == (145,)
        assert vector.env_method("describe_action", 3, indices=0) == [env.games.describe_action(3)]
        assert vector.env_is_wrapped(gym.Wrapper) == [False] * B
        vector.set_attr("label", "b", indices=[1, 2])
        vector.set_attr("label", ["a", "list"], indices=0)
        assert vector.get_attr("label") == [["a", "list"], "b", "b"]
        assert vector.has_attr("label") and not vector.has_attr("nonsense")
        assert is_masking_supported(vector)
        with pytest.raises(AttributeError, match="nonsense"):
            vector.env_method("nonsense")
    with pytest.raises(UserError, match="max_steps cannot be set|options cannot be set"):
        env.set_attr("options", 3)
    env.close()


def test_options_of_reset__are_refused(env: Cage2VecEnv) -> None:
    env.set_options({})
    env.set_options([{}, {}, {}])
    with pytest.raises(UserError, match="'rules' is no option of reset"):
        env.set_options({"rules": "challenge"})


def test_copies__go_on_with_equal_episodes(env: Cage2VecEnv) -> None:
    env.seed(1)
    env.reset()
    env.step(np.zeros(B, np.int64))
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        ours = copy.deepcopy(env)
        for _ in range(10):
            actions = np.random.default_rng(0).integers(145, size=B)
            for one, two in zip(ours.step(actions)[:3], other.step(actions)[:3], strict=True):
                np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    "wrap",
    [
        VecMonitor,
        VecNormalize,
        VecCheckNan,
        lambda env: VecFrameStack(env, 4),
        lambda env: VecMonitor(VecNormalize(env, norm_obs=False)),
    ],
)
def test_wrappers_of_the_library__take_it_and_pass_the_masks_on(env: Cage2VecEnv, wrap: object) -> None:
    wrapped = wrap(env)  # type: ignore[operator]
    wrapped.reset()
    for _ in range(7):
        *_, dones, infos = wrapped.step(np.zeros(B, np.int64))
        assert get_action_masks(wrapped).shape == (B, 145)
    assert dones.all()
    if isinstance(wrapped, VecMonitor):
        assert [info["episode"]["l"] for info in infos] == [7] * B


def test_pictures__are_tiled_and_recorded(tmp_path: Path) -> None:
    env = Cage2VecEnv(2, **GAME, render_mode="rgb_array")
    recorder = VecVideoRecorder(env, str(tmp_path / "videos"), lambda step: step == 0, video_length=2)
    recorder.reset()
    for _ in range(4):
        recorder.step(np.zeros(2, np.int64))
    height, width, _ = env.get_images()[0].shape
    assert env.render().shape == (2 * height, width, 3)
    assert [path.suffix for path in (tmp_path / "videos").iterdir()] == [".mp4"]
    assert Cage2VecEnv(2).get_images() == [None, None]


SMALL = {"n_steps": 8, "batch_size": 8, "n_epochs": 1, "device": "cpu", "seed": 1}


@pytest.mark.parametrize("make", [lambda: Cage2VecEnv(B, **GAME), lambda: make_vec_env(ENV_ID, B, env_kwargs=GAME)])
def test_learners__train_on_it_and_are_evaluated(make: "type[VecEnv]") -> None:
    env = make()
    model = PPO("MlpPolicy", env, **SMALL).learn(24)
    assert evaluate_policy(model, make(), n_eval_episodes=2, warn=False)[0] <= 0.0
    masked = MaskablePPO("MlpPolicy", env, **SMALL).learn(24)
    assert evaluate_masked(masked, make(), n_eval_episodes=2, warn=False)[0] <= 0.0
    observations = env.reset()
    masks = get_action_masks(env)
    actions, _ = masked.predict(observations, action_masks=masks)
    assert masks[np.arange(B), actions].all()
    DQN("MlpPolicy", env, learning_starts=8, batch_size=8, device="cpu").learn(24)


def test_registered_name__is_all_that_a_learner_needs() -> None:
    assert PPO("MlpPolicy", ENV_ID, **SMALL).learn(8).num_timesteps == 8
    model = MaskablePPO("MlpPolicy", make_vec_env(ENV_ID, 4), **SMALL)
    assert model.env.render_mode == "rgb_array", "which is what the library asks for first"
    assert model.learn(32).num_timesteps == 32


def test_without_the_library__a_sentence_names_the_extra(tmp_path: Path) -> None:
    (tmp_path / "stable_baselines3.py").write_text("raise ImportError('not here')")
    run = subprocess.run(
        [sys.executable, "-c", "import cageflow.envs.sb3"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert "needs Stable-Baselines3, which is not installed: pip install 'cageflow[sb3]'" in run.stderr.splitlines()[-1]
