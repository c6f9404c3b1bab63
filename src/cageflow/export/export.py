"""From a policy file to an ONNX file and its model card, both checked before either is written."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cageflow.agents.champions import CHAMPION_FOLDER, CHAMPIONS, champion_file
from cageflow.agents.own_game import own_game
from cageflow.agents.sources import PolicySource, SourceOptions, find_agent
from cageflow.envs.options import MIXED_RULES, RULES, GameOptions
from cageflow.errors import UserError
from cageflow.evaluation.protocol import EPISODES, Evaluation, EvaluationSettings, evaluate
from cageflow.export.card import CARD_TITLE, model_card
from cageflow.files import check_output_file, write_whole
from cageflow.learn.policy import PolicyCard
from cageflow.learn.policy_file import load_policy
from cageflow.scenario.orders import Order, OrderLike, file_order
from cageflow.scenario.red_agents import BUILT_IN

if TYPE_CHECKING:
    from cageflow.export.check import Agreement

SUFFIX, CARD_SUFFIX = ".onnx", ".md"


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        model: the ONNX file.
        card: the model card beside it.
        policy: what the exported policy is.
        agreement: of the model with its policy.
        evaluations: with actions drawn, and with the likeliest; empty where none was asked for.
    """

    model: Path
    card: Path
    policy: PolicyCard
    agreement: Agreement
    evaluations: tuple[Evaluation, ...]

    def to_json(self) -> dict[str, Any]:
        """What `cageflow export --json` prints."""
        return {
            "model": str(self.model),
            "card": str(self.card),
            "policy": self.policy.to_json(),
            "difference": self.agreement.difference,
            "observations": self.agreement.num_observations,
            "masks": self.agreement.num_masks,
            "evaluations": [evaluation.to_json() for evaluation in self.evaluations],
        }


def export(
    policy: str | Path,
    *,
    out: Path | None = None,
    rules: str | None = None,
    order: OrderLike | None = None,
    episodes: int = EPISODES,
    seed: int = 0,
    green: bool = False,
    scenario: Path | None = None,
    durations: str | None = None,
    say: Callable[[str], None] = lambda words: None,
    found_with: Callable[[Path], tuple[str, ...]] = lambda path: (),
) -> Exported:
    """Export a policy.

    Args:
        policy: a policy file, a run folder for its best one, or the name of a champion.
        out: the ONNX file, or a folder for it; None puts it beside the policy file, a champion in the working folder.
        rules: that the card's evaluation is played by, of a policy that was trained under both; None is v2.1.
        order: that a universal policy is to follow.
        episodes: of each cell of the evaluation in the card; 0 leaves it out.
        seed: of the evaluation.
        green: whether the policy is to play, and is evaluated, with the green agent awake.
        scenario: the network file that it was trained on; None is that of its run, or else CAGE-2's own.
        durations: that actions take there; None is as it was trained.
        say: is told what is under way.
        found_with: what the search that a policy's file comes from found, in sentences for the card.

    Raises:
        UserError: there is no such policy, it cannot be exported or written, or the extra `onnx` is not installed.
    """
    for module in ("onnx", "onnxruntime"):
        _need(module)
    from cageflow.export.check import check_agreement
    from cageflow.export.model import build_model

    if episodes == 1 or episodes < 0:
        raise UserError(f"episodes is {episodes}; expected 0 for no evaluation, or at least 2.")
    source = _source(str(policy), order)
    trained = source.card
    options = own_game(
        source,
        red_agent=trained.red_agent if trained.red_agent in BUILT_IN else GameOptions.red_agent,  # others may be code
        rules=_rules(trained, rules),
        green=green,
        scenario=scenario,
        durations=durations,
    )
    network = options.network
    setting = options.blue_setting
    loaded = load_policy(source.path, setting=setting, order=order)
    trained = loaded.card
    for note in source.notes(setting):
        say(note)
    model_path, card_path = _paths(source.path, out, source.order)
    model = build_model(loaded, network, green=green).SerializeToString()
    say("comparing the exported file with the policy")
    agreement = check_agreement(model, loaded, options)
    evaluations = []
    if episodes:
        starts = 0 if source.workflow is None else max(2, episodes // 5)
        settings = EvaluationSettings(options, episodes, seed, perturbed_episodes=starts)
        for deterministic in (False, True):
            say(f"evaluating its {'likeliest' if deterministic else 'drawn'} actions")
            evaluations.append(evaluate(replace(source, deterministic=deterministic), settings))
    found = found_with(source.path)
    words = model_card(model_path.name, trained, agreement, evaluations, network=network, green=green, found=found)
    _write(model_path, model)
    _write(card_path, words.encode())
    return Exported(model_path, card_path, loaded.card, agreement, tuple(evaluations))


def _need(module: str) -> None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise UserError(f"export needs {module}, which is not installed: pip install 'cageflow[onnx]'") from error


def _source(text: str, order: OrderLike | None) -> PolicySource:
    """The policy that a user names.

    Raises:
        UserError: it is none that was trained, or a universal one without an order.
    """
    if text in CHAMPIONS:
        source = find_agent(str(champion_file(text)), SourceOptions(order=order))
        assert isinstance(source, PolicySource)
        return replace(source, name=text)
    if not Path(text).exists():
        raise UserError(f"there is no policy file, run folder or champion {text}.")
    source = find_agent(text, SourceOptions(order=order))
    if not isinstance(source, PolicySource):
        raise UserError(f"{text} is no trained policy; expected a policy file or a run folder.")
    return source


def _rules(card: PolicyCard, asked: str | None) -> str:
    """The rules that a policy is evaluated by.

    Raises:
        UserError: others are asked for than those that it was trained under.
    """
    own = RULES if card.rules == MIXED_RULES else (card.rules,)
    if asked is not None and asked not in own:
        raise UserError(f"--rules is {asked}, but the policy was trained under {' and '.join(own)}: leave it out.")
    return asked or own[0]


def _paths(policy: Path, out: Path | None, told: Order | None) -> tuple[Path, Path]:
    """The ONNX file and its card.

    Args:
        policy: the policy file.
        out: what the user asked for.
        told: the order that a universal policy is told, which becomes part of the name.

    Raises:
        UserError: something else is in the way.
    """
    if out is not None and (out.suffix == SUFFIX or not out.is_dir()):
        model = out
    else:
        order = "" if told is None else f"_{file_order(told)}"
        beside = Path() if policy.is_relative_to(CHAMPION_FOLDER) else policy.parent
        model = (beside if out is None else out) / f"{policy.stem}{order}{SUFFIX}"
    card = model.with_suffix(CARD_SUFFIX)
    check_output_file(model, SUFFIX)
    if card.is_dir():
        raise UserError(f"{card} is a folder: the model card needs that name, so name another file by --out")
    if card.is_file() and not card.read_bytes().startswith(CARD_TITLE.encode()):
        raise UserError(f"{card} is there and is no model card; name another file by --out.")
    return model, card


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error
