"""The defenders that come with the package: they are what the documents say, under each of the rules."""

import numpy as np
import pytest

from cageflow.agents.champions import CHAMPIONS, ChampionSource, champion_file
from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.analysis.playbook import returns_of
from cageflow.envs.agent import BlueSetting
from cageflow.envs.options import RULES, GameOptions
from cageflow.envs.seeds import EpisodeStream
from cageflow.errors import UserError
from cageflow.evaluation.exploitability import exploit_file, read_exploitability
from cageflow.evaluation.leader_board import leader_board
from cageflow.evaluation.protocol import Evaluation, EvaluationSettings, evaluate
from cageflow.learn.policy_file import load_policy
from cageflow.scenario import default_network

NETWORK = default_network()
EPISODES = 200


def evaluated(name: str, **game: object) -> Evaluation:
    source = find_agent(name, SourceOptions())
    assert isinstance(source, ChampionSource) and source.actions == "deterministic"
    return evaluate(source, EvaluationSettings(GameOptions(**game), episodes=EPISODES, seed=5))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CHAMPIONS)
def test_file__is_a_policy_with_a_memory_for_both_rules_and_all_red_agents(name: str) -> None:
    path = champion_file(name)
    assert path.stat().st_size < 330_000
    card = load_policy(path).card
    assert (card.rules, card.network, card.action_set) == ("mixed", NETWORK.identity, NETWORK.action_set)
    ordered = 25 * (name == "champion-ordered")
    assert card.sizes == {"table": 52, "recalled": 217, "rules": 1, "order": ordered, "actions": 145}
    assert (card.red_agent, card.preset, card.memory, card.mask_actions) == ("mixed", "champion", True, True)
    assert (card.workflow is not None) == (name == "champion-ordered")
    for rules in RULES:
        assert load_policy(path, setting=BlueSetting(NETWORK, rules)).card.rules == rules


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("name", CHAMPIONS)
def test_exploitability__that_is_kept_with_a_champion_is_of_its_file(name: str, rules: str) -> None:
    kept = exploit_file(champion_file(name), rules)
    if kept.exists():  # else nothing is shown
        found = read_exploitability(champion_file(name), rules)
        assert found is not None, "measure anew: python -m tools.exploit_champions"
        assert (found.policy, found.rules, found.seeds) == (name, rules, (1, 2, 3))


@pytest.mark.parametrize(
    ("name", "rules", "least"),
    [
        ("champion", "challenge", -49.5),
        ("champion", "v2.1", -57.0),
        ("champion-robust", "v2.1", -60.0),
        ("champion-ordered", "challenge", -50.0),
        ("champion-ordered", "v2.1", -57.0),
    ],
)
def test_champion__scores_what_the_documents_say(name: str, rules: str, least: float) -> None:
    evaluation = evaluated(name, rules=rules)
    low, _ = evaluation.total.interval()
    assert low > least
    cells = {(cell.max_steps, cell.red_agent): cell for cell in evaluation.cells}
    assert all(cell.summary.mean == 0.0 for (_, red), cell in cells.items() if red == "SleepAgent")
    if rules == "challenge":
        assert low > leader_board().entries[0].total.mean
    if name == "champion-ordered":
        tests = evaluation.tests
        assert tests is not None and tests.known_tested > 0.5 and tests.known_compliance == 1.0  # enforced


@pytest.mark.parametrize("rules", RULES)
def test_champion__holds_with_green_awake_too(rules: str) -> None:
    assert evaluated("champion", rules=rules, green=True).total.mean > -64.0  # its predecessor: -84 and -107


def test_champion__restores_a_server_that_it_did_not_see_fall() -> None:
    """In these episodes its predecessor lost 60 to 92: red took a server by an exploit that blue did not see."""
    places = [28827, 2700, 36185, 17610, 15828, 44280, 14072, 32763, 41989, 21376, 26457, 48708, 40152]
    seeds = EpisodeStream(8, "evaluate compiled 100 B_lineAgent").seeds(0, 50_000)[places]
    game = GameOptions(rules="challenge", red_agent="B_lineAgent", max_steps=100)
    agent = find_agent("champion", SourceOptions()).load(game.blue_setting)
    assert min(returns_of(agent, game, seeds)) > -50.0


def test_robust_champion__is_the_champion_under_challenge_and_holds_better_under_v2_1() -> None:
    observations = np.random.default_rng(1).integers(2, size=(200, 269)).astype(np.uint8)
    both = [load_policy(champion_file(name)).for_rules("challenge") for name in ("champion", "champion-robust")]
    assert both[1].log_probs(observations) == pytest.approx(both[0].log_probs(observations), abs=1e-3)
    kept = [read_exploitability(champion_file(name), "v2.1") for name in ("champion", "champion-robust")]
    assert kept[0] is not None and kept[1] is not None
    assert kept[1].exploitability.mean < 0.75 * kept[0].exploitability.mean


def test_champion__reads_the_corrected_table_alone_and_is_told_its_rules() -> None:
    champion = find_agent("champion", SourceOptions())
    with pytest.raises(UserError, match="give --observation corrected"):
        champion.load(BlueSetting(NETWORK, "v2.1", "official"))
    with pytest.raises(UserError, match="is told which rules it plays"):
        champion.load(BlueSetting(NETWORK, "mixed"))
