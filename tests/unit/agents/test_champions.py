"""The defenders that come with the package: they are what the documents say, for each of the rules."""

import pytest

from cageflow.agents.champions import CHAMPIONS, ChampionSource, champion_file
from cageflow.agents.sources import SourceOptions, find_agent
from cageflow.envs.agent import BlueSetting
from cageflow.envs.options import RULES, GameOptions
from cageflow.errors import UserError
from cageflow.evaluation.leader_board import leader_board
from cageflow.evaluation.protocol import EvaluationSettings, evaluate
from cageflow.learn.policy_file import load_policy
from cageflow.scenario import default_network

NETWORK = default_network()
EPISODES = 200


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("name", CHAMPIONS)
def test_file__is_a_policy_with_a_memory_for_these_rules_and_all_red_agents(name: str, rules: str) -> None:
    path = champion_file(name, rules)
    assert path.stat().st_size < 300_000
    card = load_policy(path, setting=BlueSetting(NETWORK, rules)).card
    assert (card.rules, card.network, card.action_set) == (rules, NETWORK.identity, NETWORK.action_set)
    assert card.sizes == {"table": 52, "recalled": 217, "order": 25 * (name == "champion-ordered"), "actions": 145}
    assert (card.red_agent, card.preset, card.memory, card.mask_actions) == ("mixed", "champion", True, True)
    assert (card.workflow is not None) == (name == "champion-ordered")


def test_ordered_champions__follow_one_workflow_under_all_rules() -> None:
    cards = [load_policy(champion_file("champion-ordered", rules)).card for rules in RULES]
    assert len({(card.workflow, card.alignment["definition"]) for card in cards}) == 1


@pytest.mark.parametrize(
    ("name", "rules", "least"),
    [
        ("champion", "challenge", -49.0),
        ("champion", "v2.1", -57.0),
        ("champion-ordered", "challenge", -52.0),
        ("champion-ordered", "v2.1", -60.0),
    ],
)
def test_champion__scores_what_the_documents_say(name: str, rules: str, least: float) -> None:
    source = find_agent(name, SourceOptions())
    assert isinstance(source, ChampionSource) and source.actions == "deterministic"
    evaluation = evaluate(source, EvaluationSettings(GameOptions(rules=rules), episodes=EPISODES, seed=5))
    low, _ = evaluation.total.interval()
    assert low > least
    cells = {(cell.max_steps, cell.red_agent): cell for cell in evaluation.cells}
    assert all(cell.summary.mean == 0.0 for (_, red), cell in cells.items() if red == "SleepAgent")
    if rules == "challenge":
        assert low > leader_board().entries[0].total.mean
    if name == "champion-ordered":
        attacked = [cell for (_, red), cell in cells.items() if red != "SleepAgent"]
        assert all(cell.compliance is not None and cell.compliance >= 0.95 for cell in attacked)


def test_champion_of_other_rules__is_another_policy() -> None:
    files = [champion_file("champion", rules).read_bytes() for rules in RULES]
    assert files[0] != files[1]
    with pytest.raises(UserError, match=r"possible are v2\.1, challenge"):
        champion_file("champion", "chess")


def test_champion__reads_the_corrected_table_alone() -> None:
    setting = BlueSetting(NETWORK, "v2.1", "official")
    with pytest.raises(UserError, match="give --observation corrected"):
        find_agent("champion", SourceOptions()).load(setting)
