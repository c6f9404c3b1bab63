"""Record episodes of an installed CybORG with every chance outcome that matters."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cageflow.envs.cyborg import CyborgEnv, cyborg_rules
from cageflow.envs.cyborg_red import OUTCOMES, read_action
from cageflow.envs.options import RULES
from cageflow.envs.red_player import RedPlayer
from cageflow.errors import UserError
from cageflow.parity.blue_policies import BluePolicy, find_policy
from cageflow.parity.draws import Draws, watch_draws
from cageflow.parity.recording import FIELDS, Recording, RecordingMeta, empty_arrays
from cageflow.parity.red_players import RecordedRed, find_red, name_of_red
from cageflow.scenario.red_agents import BLINE_NAME
from cageflow.scenario.writing import network_text


def record_episodes(
    cyborg_path: Path | str | None,
    rules: str = "v2.1",
    red_agent: str | RedPlayer = "B_lineAgent",
    policy: str | BluePolicy = "random",
    green: bool = False,
    seed: int = 0,
    episodes: int = 30,
    max_steps: int = 100,
    scenario: Path | str | None = None,
) -> Recording:
    """Play episodes in CybORG and note all that a replay needs.

    CybORG draws from Python's global generator, which each episode seeds anew: episode e of a seed is the same however
    many are recorded.

    Args:
        cyborg_path: the root of a clone of cage-challenge/cage-challenge-2, or the CybORG folder in it.
        rules: "v2.1" or "challenge"; the installed CybORG is probed and must play these.
        red_agent: "B_lineAgent", "RedMeanderAgent" or "SleepAgent", or "bline", "meander", "sleep": CybORG's own. Or
            "random": any action that red has, sensible or not, all equally likely. Or
            "FILE.py:Class", a class of one's own, see `docs/attackers.md`. Or a red player.
        policy: the name of a blue policy in `cageflow.parity.blue_policies`, or a callable like those.
        green: whether the green agent acts.
        seed: at least 0.
        episodes: E, at least 1.
        max_steps: T, steps of each episode, at least 1.
        scenario: whatever `cageflow.scenario.named.load_network` takes; None is CAGE-2's.

    Raises:
        UserError: an argument is not possible, CybORG is absent, it plays other rules, or the network cannot be
            played both there and here.
    """
    if episodes < 1 or seed < 0:
        raise UserError(f"{episodes} episodes with seed {seed} are not possible; at least 1 and 0 are.")
    if rules not in RULES:
        raise UserError(f"{rules!r} is no rule set; possible are {', '.join(RULES)}.")
    choose = find_policy(policy) if isinstance(policy, str) else policy
    player = find_red(red_agent, scenario)
    own = red_agent if isinstance(red_agent, str) and player is None else "SleepAgent"
    env = CyborgEnv(cyborg_path, own, max_steps=max_steps, green=green, scenario=scenario, given_red=player is not None)
    if env.options.red_agent == BLINE_NAME and env.network.scenario.red.b_line is None:
        raise UserError(
            f"B_lineAgent has no way of its own through {env.network.scenario.name!r}: CybORG's breaks down there, and "
            "ours takes the shortest. Record another red agent, such as meander."
        )
    found = cyborg_rules(cyborg_path)
    if found != rules:
        raise UserError(f"CybORG in {cyborg_path} plays the rules {found}, not {rules}.")
    name = policy if isinstance(policy, str) else getattr(policy, "__name__", type(policy).__name__)
    red_name = env.options.red_agent if player is None else name_of_red(red_agent, player)
    meta = RecordingMeta(rules, red_name, name, seed, green, *_texts(env, scenario))
    arrays = empty_arrays(env.network, episodes, max_steps)
    red = None if player is None else RecordedRed(env, player)
    with watch_draws(env.network) as draws:
        for episode in range(episodes):
            row = {field: arrays[field][episode] for field in FIELDS}
            game_seed, blue_seed, red_seed = np.random.SeedSequence([seed, episode]).spawn(3)
            try:
                if red is not None:
                    red.begin(red_seed)
                _record_episode(env, choose, red, draws, row, game_seed, np.random.default_rng(blue_seed))
            except Exception as error:
                error.add_note(f"while recording episode {episode} of seed {seed}")
                raise
    return Recording(meta=meta, **arrays)


def _texts(env: CyborgEnv, scenario: Path | str | None) -> tuple[str | None, str | None]:
    """What a recording says of its network: the original's scenario file, else a network file; nothing of CAGE-2."""
    if scenario is None or env.source.scenario is not None:
        return env.source.scenario, None
    return None, network_text(env.network.scenario)


def _record_episode(
    env: CyborgEnv,
    choose: BluePolicy,
    red: RecordedRed | None,
    draws: Draws,
    row: dict[str, npt.NDArray[Any]],
    game_seed: np.random.SeedSequence,
    rng: np.random.Generator,
) -> None:
    """Play one episode and write it into `row`, one episode of each array."""
    observation, _ = env.reset(seed=int(game_seed.generate_state(1)[0]))
    _note_state(env, row, 0, observation)
    truncated = False
    step = 0
    while not truncated:
        draws.forget()
        action = int(choose(env, row["obs"][step], step, rng))
        if red is not None:
            red.choose()
        try:
            observation, reward, _, truncated, _ = env.step(action)
        except Exception as error:  # the original's attackers take some hosts for granted
            what = f"{type(error).__name__}: {error}"
            where = f"step {step + 1} of an episode against {env.options.red_agent}"
            raise UserError(f"CybORG broke down in {where}, which cannot play on this network ({what}).") from error
        row["blue_action"][step] = action
        row["reward"][step] = reward
        row["exploit"][step] = draws.exploit
        row["detected"][step] = draws.detected
        row["escalate_session"][step] = draws.escalate_session
        _note_others(env, row, step)
        if red is not None:
            red.learn()
        step += 1
        _note_state(env, row, step, observation)


def _note_state(env: CyborgEnv, row: dict[str, npt.NDArray[Any]], step: int, observation: npt.NDArray[Any]) -> None:
    row["obs"][step] = observation
    row["obs_official"][step] = env.official_observation
    for name, value in env.true_state()._asdict().items():
        if np.max(value) > FIELDS[name].high:
            raise UserError(f"a host holds {np.max(value)} sessions of red, a recording has room for 255.")
        row[name][step] = value


def _note_others(env: CyborgEnv, row: dict[str, npt.NDArray[Any]], step: int) -> None:
    """Note what red and green did, and how it went for red and blue."""
    network = env.network
    controller = env.cyborg.environment_controller
    row["red_kind"][step], row["red_target"][step], row["red_valid"][step] = read_action(controller, network)
    green = controller.action["Green"]
    if type(green).__name__ == "GreenPortScan":
        row["green_scan"][step] = network.hosts.index(green.hostname)
    for agent in ("Red", "Blue"):
        success = env.cyborg.get_observation(agent)["success"]
        row[f"{agent.lower()}_success"][step] = OUTCOMES[str(success).upper()]
