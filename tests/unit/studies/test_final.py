"""The final training of a search: with the episodes kept back, on what it recommends, in the place of its policy."""

import json
import shutil

import pytest

from cageflow.analysis.answer_words import sentences
from cageflow.analysis.beside import PLAIN_LONG, final_path, find_answer, finished_beside, read_beside
from cageflow.api.runs import search as whole_search
from cageflow.errors import UserError
from cageflow.learn.policy_file import load_policy
from cageflow.runs import runs
from cageflow.runs.interrupt import RunStoppedError
from cageflow.runs.progress import Quiet
from cageflow.runs.recommendation import read_recommendation
from cageflow.runs.saved_run import read_run
from cageflow.settings.reading import make_config, read_config
from cageflow.studies.beside import train_kind
from cageflow.studies.final import train_final
from tests.helpers.searches import SMALL_REWARDED as SMALL

KEPT = {"total_episodes": 28, "final_episodes": 12}


def search(path, **given):
    return runs.start(make_config({**SMALL, **KEPT, **given}), path, Quiet())


def files(path):
    """What a run says of itself, the times left out."""
    recommendation = json.loads((path / "recommendation.json").read_text())
    return recommendation, (path / "policies" / "best.safetensors").read_bytes()


def test_search__leaves_what_is_kept_back_and_is_the_search_of_so_many_fewer(tmp_path):
    kept, alone = search(tmp_path / "kept"), search(tmp_path / "alone", total_episodes=16, final_episodes=0)
    assert kept.episodes == alone.episodes == 16
    assert files(kept.run_dir) == files(alone.run_dir)
    assert train_final(alone, Quiet) is alone
    assert not read_run(kept.run_dir).is_over
    assert read_run(alone.run_dir).is_over


def test_final_training__goes_on_from_the_recommended_training_and_takes_its_place(tmp_path):
    searched = search(tmp_path / "run")
    before, _ = files(searched.run_dir)
    summary = train_final(searched, Quiet)
    folder = final_path(searched.run_dir, 16, 12)
    config = read_config(folder / "config.json")
    assert (config.command, config.order(), config.total_episodes) == ("train", searched.workflow, 12)
    assert (config.min_episodes_per_trial, config.max_steps, config.ppo) == (12, 4, {"hidden_sizes": [8]})
    assert config.start_from.startswith(str(searched.run_dir / "checkpoint" / "learner_"))
    assert config.seed != 2
    after, policy = files(searched.run_dir)
    assert {name: after[name] for name in before if name != "sha256"} == {
        name: value for name, value in before.items() if name != "sha256"
    }
    final = after["final"]
    assert (final["after"], final["episodes"], final["evaluation"]["reward"]) == (16, 12, summary.reward)
    assert (summary.episodes, summary.final_episodes, summary.policy) == (28, 12, searched.policy)
    assert (summary.before_final.reward, summary.workflow) == (searched.reward, searched.workflow)
    trained = load_policy(next((folder / "policies").iterdir()))
    card = load_policy(searched.policy).card
    assert (card.training_episodes, trained.card.training_episodes) == (after["training_episodes"] + 12, 12)
    assert (load_policy(searched.policy).layers[0][0] == trained.layers[0][0]).all()
    run = read_run(searched.run_dir)
    assert (run.episodes, run.is_over, run.measured.reward) == (28, True, summary.reward)
    assert run.policy().card == card
    again = train_final(runs.resume(searched.run_dir, "search", Quiet()), Quiet)
    assert (again.reward, again.before_final.reward) == (summary.reward, searched.reward)
    assert files(searched.run_dir) == (after, policy)


@pytest.mark.parametrize("strategy", ["random", "asha"])
def test_final_training__is_judged_by_the_order_it_enforces_whoever_chose_it(tmp_path, strategy):
    mode = {"workflow_mode": "enforced"} if strategy == "asha" else {}
    searched = search(tmp_path / "run", strategy=strategy, **mode)
    summary = train_final(searched, Quiet)
    card = load_policy(summary.policy).card
    assert card.workflow_mode == ("enforced" if strategy == "asha" else "rewarded")
    assert read_run(summary.run_dir).order == summary.workflow


def test_stopped_final_training__goes_on_to_the_same_figures(tmp_path):
    import signal

    class Impatient(Quiet):
        def update(self, order, record, run_episodes):
            signal.raise_signal(signal.SIGTERM)

        def stopping(self, words):
            pass

    searched = search(tmp_path / "run")
    whole = tmp_path / "whole"
    shutil.copytree(searched.run_dir, whole)
    with pytest.raises(RunStoppedError, match="cageflow search --resume"):
        train_final(searched, Impatient)
    assert not read_run(searched.run_dir).is_over
    resumed = train_final(runs.resume(searched.run_dir, "search", Quiet()), Quiet)
    straight = train_final(runs.resume(whole, "search", Quiet()), Quiet)
    assert resumed.reward == straight.reward
    assert files(searched.run_dir) == files(whole)


def test_answer__says_what_it_came_to_beside_plain_ppo_with_as_many_episodes(tmp_path):
    searched = search(tmp_path / "run", compare_plain=1)
    assert find_answer(read_run(searched.run_dir)).final is None
    summary = train_final(searched, Quiet)
    plain = train_kind(searched.run_dir, PLAIN_LONG, Quiet)
    assert (plain.episodes, read_beside(searched.run_dir, PLAIN_LONG)) == (28, plain)
    assert len(finished_beside(searched.run_dir)) == 1
    answer = find_answer(read_run(searched.run_dir))
    assert (answer.final.episodes, answer.final.before, answer.final.after) == (12, searched.reward, summary.reward)
    assert sentences(answer)[-1] == (
        f"Trained on with the last 12 episodes, its policy went from {searched.reward:.2f} ± {searched.reward_se:.2f} "
        f"to {summary.reward:.2f} ± {summary.reward_se:.2f}; plain PPO came to {plain.mean:.2f} ± "
        f"{plain.rewards_se[0]:.2f} with all of 28 episodes."
    )
    assert find_answer(read_run(searched.run_dir)) == answer, "kept as it was made"


def test_plain_ppo_with_all_episodes__is_trained_where_there_is_a_final_training_and_nobody_declines():
    def trainings(**given):
        return make_config({**SMALL, "total_episodes": 28, **given}).plain_long_trainings

    assert [trainings(), trainings(compare_plain=1), trainings(final_episodes=12)] == [0, 0, 1]
    assert [trainings(final_episodes=12, compare_plain=number) for number in (0, 3)] == [0, 3]


def test_finished_search__can_be_trained_on_and_searched_on(tmp_path):
    path = tmp_path / "run"
    begun_so = train_final(search(tmp_path / "so"), Quiet)
    search(path, total_episodes=16, final_episodes=0)
    with pytest.raises(UserError, match="have used 16 already: give total_episodes of at least 28"):
        runs.resume(path, "search", Quiet(), {"final_episodes": 12, "total_episodes": 27})
    assert read_config(path / "config.json").final_episodes == 0, "nothing was written"
    trained = train_final(runs.resume(path, "search", Quiet(), KEPT), Quiet)
    assert (trained.reward, files(path)) == (begun_so.reward, files(tmp_path / "so"))
    searched = runs.resume(path, "search", Quiet(), {"total_episodes": 36})
    assert (searched.episodes, read_recommendation(path).final) == (24, None)
    assert train_final(searched, Quiet).episodes == 36
    assert sorted(folder.name for folder in (path / "final").iterdir()) == ["16-28", "24-36"]


def test_whole_command__gives_both_figures(tmp_path):
    found = whole_search(run_dir=tmp_path / "run", workflow_mode="rewarded", compare_plain=0, **{**SMALL, **KEPT})
    entries = found.to_json()
    assert (entries["final_episodes"], entries["episodes"]) == (12, 28)
    assert entries["before_final"]["reward"] == found.answer.final.before
    assert entries["reward"] == found.answer.final.after


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"final_episodes": 28}, "final_episodes is 28, which leaves nothing of the 28 total_episodes for the search"),
        ({"final_episodes": -1}, "final_episodes"),
        ({"final_episodes": 1.5}, "final_episodes"),
        ({"final_episodes": 24, "fixed_episodes": 8}, "more than the 4 of the whole search"),
        ({"final_episodes": 24, "rungs": "4,8", "strategy": "asha"}, "more than the 4 of the whole search"),
        ({"command": "landscape"}, "final_episodes"),
    ],
)
def test_nonsense__is_refused_in_one_sentence(given, refused):
    with pytest.raises(UserError, match=refused) as error:
        make_config({**SMALL, **KEPT, **given})
    assert "\n" not in str(error.value)
