"""The model card: what an exported policy is, how it was trained, how good it is, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cageflow import __version__
from cageflow.envs.options import RULES
from cageflow.envs.perturbing import PERTURBING_STEPS
from cageflow.evaluation.perturbed import Perturbed
from cageflow.evaluation.protocol import Evaluation
from cageflow.evaluation.statistics import Summary
from cageflow.evaluation.tables import ACTIONS
from cageflow.learn.policy import PolicyCard
from cageflow.markdown import code, plain
from cageflow.scenario import Network, NetworkIdentity, is_cage2
from cageflow.scenario.durations import words_on_durations
from cageflow.scenario.orders import read_order, show_order
from cageflow.scenario.red_agents import ATTACKER_NAMES, MIXED, red_words
from cageflow.workflow.tested import OrderTests

if TYPE_CHECKING:
    from cageflow.export.check import Agreement

CARD_TITLE = "# Model card: "
"""What every card begins with."""
TABLES = {
    "corrected": "It reads the `corrected` table: CybORG's own hides the scan of a host on which blue has just planted "
    "a decoy. The example in cageflow's `docs/export.md` mends that from what CybORG shows blue.",
    "official": "It reads the `official` table, as CybORG's own wrapper gives it.",
}


def model_card(
    name: str,
    policy: PolicyCard,
    agreement: Agreement,
    evaluations: Sequence[Evaluation],
    *,
    network: Network,
    green: bool = False,
    found: Sequence[str] = (),
) -> str:
    """The card in Markdown.

    Args:
        name: of the ONNX file.
        policy: what it is.
        agreement: of the file with the policy that it was made of.
        evaluations: of the policy, one for each way to choose actions; none if nothing was measured.
        network: that it plays on.
        green: whether its masks and evaluations are those of games with the green agent awake.
        found: what the search that it comes from found of the orders, a sentence each.
    """
    identity = network.identity
    sections = {
        "What it is": _what(policy, identity),
        "Training": _training(policy, identity),
        **({"What the search found": _found(found)} if found else {}),
        "Evaluation": _evaluation(policy, evaluations),
        "Limits": _limits(policy, evaluations, network, green=green),
        "How to use it": _use(name, policy, network),
        "Checked": _checked(agreement),
        "Licence": "cageflow is under the MIT licence and lays no claim to what is trained with it: who trained this "
        "policy says how it may be used. Whoever uses CAGE Challenge 2 cites the challenge and CybORG "
        "(<https://github.com/cage-challenge/cage-challenge-2>).",
    }
    parts = [f"{CARD_TITLE}{name}", f"Written by cageflow {__version__} together with `{name}`."]
    for title, body in sections.items():
        parts += [f"## {title}", body]
    return "\n\n".join(parts) + "\n"


def keeps_memory(card: PolicyCard, network: Network) -> bool:
    """Whether the file of a policy has a memory: of what is in vain, for the policy to read, or of Restores under way.

    An order that is enforced does not wait for a host that is being restored.
    """
    return card.mask_actions or card.memory or (card.is_enforced and network.blue_takes_time)


def _what(policy: PolicyCard, network: NetworkIdentity) -> str:
    name = "CAGE Challenge 2's network" if is_cage2(network) else f"the network {code(network.name)}"
    words = (
        f"A policy for the blue agent on {name}: a small network of neurons that reads blue's table and gives a "
        "logit for each of blue's actions. "
    )
    if policy.workflow is None:
        return words + "It was trained by plain PPO and follows no workflow."
    order = show_order(read_order(policy.workflow))
    how = "keeps to" if policy.is_enforced else "follows"
    return words + f"It {how} a workflow, the order in which compromised hosts are fixed:\n\n    {order}"


def _training(policy: PolicyCard, network: NetworkIdentity) -> str:
    rows = {
        "network": f"{code(network.name)}",
        "fingerprint of the network": f"`{network.fingerprint}`",
        "hosts": ", ".join(map(code, network.hosts)),
        "red agent": f"`{policy.red_agent}`",
        "rules": f"`{policy.rules}`",
        "observation": f"`{policy.observation}`",
        "steps of an episode": f"{policy.max_steps}",
        **_training_time(policy),
        "episodes": f"{policy.training_episodes:,}",
        **({"perturbed starts": f"{policy.perturbed_starts:.0%} of them"} if policy.perturbed_starts else {}),
        **({} if policy.green_share is None else {"green agent awake": f"in {policy.green_share:.0%} of them"}),
        **({"red agents of them": _mixture(policy)} if policy.red_mixture else {}),
        "preset of the learner": f"`{policy.preset}`",
        "activation": f"`{policy.activation}`",
        "action masks": "yes" if policy.mask_actions else "no",
        "memory": "yes" if policy.memory else "no",
        "workflow": "none" if policy.workflow is None else f"`{policy.workflow}`",
        **({} if policy.workflow is None else {"the workflow is": policy.workflow_mode}),
    }
    rows |= {f"alignment: {name}": f"`{value}`" for name, value in policy.alignment.items()}
    return _table(["", ""], list(rows.items()))


def _mixture(policy: PolicyCard) -> str:
    return ", ".join(f"{code(red)} {share:.0%}" for red, share in policy.red_mixture.items())


def _found(sentences: Sequence[str]) -> str:
    """What is known of the orders; names of unit types are a user's."""
    return "\n".join(f"- {plain(sentence[0].upper() + sentence[1:])}" for sentence in sentences)


def _evaluation(policy: PolicyCard, evaluations: Sequence[Evaluation]) -> str:
    if not evaluations:
        return "None was asked for. `cageflow evaluate` measures the policy file that this one was made of."
    first = evaluations[0].settings
    parts = [
        f"{'The challenge' if first.is_whole else 'The network'}'s protocol in the compiled simulator under the rules "
        f"`{policy.rules}`, {first.episodes:,} episodes a cell, seed {first.seed}, the green agent "
        f"{'awake' if first.game.green else 'asleep'}. Mean return of an episode ± half the 95 % interval (standard "
        f"deviation); the total is the sum of the {len(evaluations[0].cells)} means."
    ]
    for evaluation in evaluations:
        total = evaluation.total
        low, high = total.interval()
        rows = []
        for red in first.red_agents:
            cells = [cell for cell in evaluation.cells if cell.red_agent == red]
            shares = [cell.compliance for cell in cells if cell.compliance is not None]
            followed = [f"{sum(shares) / len(shares):.1%}"] if shares else []
            rows.append([red_words(red), *(_mean(cell.summary) for cell in cells), *followed])
        heading = [ACTIONS[evaluation.source.actions], *(f"{length} steps" for length in first.lengths)]
        heading += ["compliance"] if evaluation.source.workflow is not None else []
        parts.append(_table(heading, rows))
        parts.append(f"Total {total.mean:z.2f} ± {total.half_width():.2f}, 95 % interval {low:z.2f} to {high:z.2f}.")
        if evaluation.tests is not None:
            parts.append(_tests(evaluation.tests))
        if evaluation.perturbed is not None:
            parts += _perturbed(evaluation.perturbed)
    return "\n\n".join(parts)


def _tests(tests: OrderTests) -> str:
    known, true = (
        f"{number:.2f} an episode" + ("" if share is None else f", of which {share:.1%} followed it")
        for number, share in ((tests.known_tested, tests.known_compliance), (tests.tested, tests.tested_compliance))
    )
    return (
        "Fixes that tested its order, made while two or more unit types were held that a fix could serve: by what blue "
        f"could know {known}; by the truth {true}."
    )


def _perturbed(perturbed: Perturbed) -> list[str]:
    words = (
        f"Episodes of {perturbed.max_steps} steps that begin after {PERTURBING_STEPS} in which blue slept or played at "
        "random, beside those of a rule that restores the dearest host that blue's table flags:"
    )
    rows = []
    for cell in perturbed.cells:
        share = None if cell.tests is None else cell.tests.known_compliance
        followed = "" if share is None else f"{share:.1%}"
        means = (f"{returns.mean():z.2f}" for returns in (cell.returns, cell.rule_returns))
        rows.append([cell.start, red_words(cell.red_agent), *means, followed])
    return [words, _table(["start", "red agent", "this policy", "rule by flags", "tests followed"], rows)]


def _limits(policy: PolicyCard, evaluations: Sequence[Evaluation], network: Network, *, green: bool) -> str:
    board = (
        " Only figures under `challenge` compare with the challenge's leader board."
        if is_cage2(network.identity)
        else " The challenge's leader board was judged on CAGE-2's own network: no figure here compares with it."
    )
    hosts = "13 hosts of CAGE-2" if is_cage2(network.identity) else f"{len(network.hosts)} hosts of that network"
    limits = [
        f"It has met no red agent but {_opponents(policy)} in training, and no episode longer than {policy.max_steps} "
        "steps. Against other ones it is worth what the evaluation says, and not more.",
        f"{_rules(policy)} `v2.1`, which is CAGE-2 as it stands, and `challenge`, "
        "as the challenge was judged, are two games, in which the same policy scores differently." + board,
        _sleep(evaluations, network.scenario.restore_cost),
        f"{'Its masks are for games' if policy.mask_actions else 'It was exported for games'} with the green agent "
        f"{'awake' if green else 'asleep'}. The policy file does not say which of them it was trained in.",
        TABLES.get(policy.observation, f"It reads the table `{policy.observation}`."),
        _masks(policy),
        *_order(policy, network),
        *_memory(policy),
        *_timing(policy, network),
        f"It knows the {hosts} by their place in blue's table, and means nothing on another network. "
        "It plays a game and does not defend a real network.",
    ]
    return "\n".join(f"- {limit}" for limit in limits)


def _opponents(policy: PolicyCard) -> str:
    mixed = ATTACKER_NAMES if policy.red_agent == MIXED else (policy.red_agent,)
    return " and ".join(code(name) for name in policy.red_mixture or mixed)


def _rules(policy: PolicyCard) -> str:
    own = (
        f"the rules `{policy.rules}`"
        if policy.rules in RULES
        else f"one of the rules {' and '.join(map(code, RULES))}, drawn for each episode"
    )
    return f"It was trained under {own}."


def _sleep(evaluations: Sequence[Evaluation], restore_cost: float) -> str:
    words = f"Against a red agent that sleeps there is nothing to win: each Restore costs {restore_cost:g}."
    means = [cell.summary.mean for one in evaluations for cell in one.cells if cell.red_agent == "SleepAgent"]
    return words + (f" Its lowest mean there is {min(means):z.2f}." if means else "")


def _masks(policy: PolicyCard) -> str:
    if not policy.mask_actions:
        return "It was trained without action masks and chooses among all actions, those in vain too."
    return (
        "It was trained with action masks, which leave out what blue can know to be in vain. They are part of the "
        "file, which therefore has a memory: it must be told what blue really did, and be given its memory back."
    )


def _order(policy: PolicyCard, network: Network) -> list[str]:
    """What its order keeps it from."""
    if not policy.is_enforced:
        return []
    red = network.scenario.red
    began = " and ".join(code(host) for host in dict.fromkeys((red.start, *(one.host for one in red.footholds))))
    return [
        "Its workflow is enforced, by the file itself: no host is removed from or restored while blue's table says "
        "`user`, `privileged` or `unknown` of a host of a type before its own that is not being restored, in whatever "
        f"state it finds the network. {began}, where red began and cannot be driven out, is not waited for. What the "
        "table does not show does not count, so that a fix may come before one that the truth would put first."
    ]


def _memory(policy: PolicyCard) -> list[str]:
    if not policy.memory:
        return []
    return [
        "It reads what blue remembers beside its table: its decoys, which hosts it restored, where and when it saw "
        "activity, its last action and the table before. The file keeps that too, in the memory that it gives back."
    ]


def _training_time(policy: PolicyCard) -> dict[str, str]:
    """How long actions took in its training, where its file says so and one took more than a step."""
    durations = {kind: steps for kind, steps in policy.durations.items() if steps > 1}
    if not durations and policy.crews in (None, 1):
        return {}
    return {"steps of an action": _steps(durations) or "1", "crews": f"{policy.crews or 1}"}


def _timing(policy: PolicyCard, network: Network) -> list[str]:
    """What the file keeps of actions that take several steps, and what it is worth where they take others."""
    if not network.blue_takes_time:
        return []
    scenario = network.scenario
    own = {name: host.durations.model_dump(exclude_none=True) for name, host in scenario.hosts.items()}
    others = [f"{code(name)} ({_steps(steps)})" for name, steps in own.items() if steps]
    limit = f"It plays where {words_on_durations(scenario.durations, scenario.crews)}"
    limit += f", on some hosts others: {', '.join(others)}" if others else ""
    if keeps_memory(policy, network):
        limit += (
            ". Its memory counts what is under way: what blue chooses while all crews are busy does nothing, and "
            "`last_action` is to say it all the same"
        )
    return [f"{limit}. Where actions take other steps nothing is known of its worth."]


def _steps(durations: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {steps}" for kind, steps in durations.items())


def _use(name: str, policy: PolicyCard, network: Network) -> str:
    inputs = [("`observation`", "(N, F) float32", "blue's table after the last step: zeros at the start of an episode")]
    outputs = [
        ("`logits`", "(N, A) float32", "of the actor" + (", masks aside" if policy.is_masked else "")),
        ("`probs`", "(N, A) float32", "to draw an action from"),
        ("`action`", "(N,) int64", "the likeliest action"),
    ]
    if keeps_memory(policy, network):
        inputs += [
            ("`last_action`", "(N,) int64", "blue's last action; -1 at the start of an episode"),
            ("`memory`", "(N, M) float32", "`next_memory` of the last step; zeros at the start of an episode"),
        ]
        outputs.append(("`next_memory`", "(N, M) float32", "to be given back"))
    if policy.is_masked:
        outputs.append(("`mask`", "(N, A) bool", f"false {' and '.join(_left_out(policy))}"))
    rows = [("input", *row) for row in inputs] + [("output", *row) for row in outputs]
    metadata = "The metadata hold this card's facts and the names of `actions` and `hosts` as JSON lists."
    parts = ["Any ONNX runtime reads the file; it needs nothing of cageflow.", _table(["", "name", "type", "is"], rows)]
    if not is_cage2(network.identity):
        return "\n\n".join([*parts, metadata])
    example = "cageflow's `docs/examples/defend_cyborg.py` defends CybORG with the file:"
    return "\n\n".join([*parts, f"{metadata} {example}", f"    python defend_cyborg.py {name}"])


def _left_out(policy: PolicyCard) -> list[str]:
    """Where its masks are false."""
    in_vain = ["where blue can know that the action is in vain"] if policy.mask_actions else []
    return in_vain + (["for fixes that have to wait by the workflow"] if policy.is_enforced else [])


def _checked(agreement: Agreement) -> str:
    words = (
        f"When it was written the file was compared in onnxruntime with the policy, on {agreement.num_observations:,} "
        f"observations, random ones and those of episodes: log-probabilities differ by at most "
        f"{agreement.difference:.1e}"
    )
    if agreement.num_masks:
        words += f", and {agreement.num_masks:,} masks not at all"
    return words + "."


def _mean(summary: Summary) -> str:
    return f"{summary.mean:z.2f} ± {summary.estimate.half_width():.2f} ({summary.sd:.1f})"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
