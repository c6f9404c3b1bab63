"""Updates and trials with made-up figures."""

from cageflow.learn.ppo import UpdateStats
from cageflow.scenario.orders import Order
from cageflow.search import Iteration, SearchState, TrialRequest, TrialResult
from cageflow.training.trainer import UpdateRecord
from cageflow.workflow.tested import OrderTests

TESTS = OrderTests(
    tested=2.5, tested_compliant=2.25, known_tested=1.5, known_compliant=1.25, contests=((0.0, 1.5), (0.25, 0.0))
)


def update_record(update: int, episodes: int) -> UpdateRecord:
    """An update whose figures are the widest that are likely."""
    stats = UpdateStats(
        policy_loss=-0.01,
        value_loss=0.5,
        entropy=3.2,
        approx_kl=0.01,
        clip_fraction=0.1,
        explained_variance=0.4,
        grad_norm=0.3,
        learning_rate=0.002,
        ent_coef=0.01,
        epochs_done=6,
        gradient_steps=24,
        distinct_observations=3000,
        seconds=0.2,
    )
    return UpdateRecord(
        update=update,
        episodes=episodes,
        env_reward=-1234.56,
        alignment=-12.34,
        compliance=0.876,
        fixes=31.4,
        tests=TESTS,
        collection_s=0.1,
        simulation_s=0.05,
        inference_s=0.05,
        stats=stats,
    )


def iteration(order: Order, episodes: int, ending: str) -> Iteration:
    """The first trial of a search."""
    result = TrialResult(
        order=order,
        reward=-1234.56,
        reward_se=12.34,
        compliance=0.876,
        episodes=episodes,
        total_episodes=episodes,
        ending=ending,
        seconds=1.0,
        **TESTS.facts(),
    )
    return Iteration(
        request=TrialRequest(
            trial=0, order=order, seed=1, start=None, trained_episodes=0, max_episodes=None, cap="episode-cap"
        ),
        ucb=None,
        result=result,
        gp_updated=False,
        episodes=episodes,
        state=SearchState(0, (result,)),
    )
