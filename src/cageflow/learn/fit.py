"""Whether a policy may play a game: the one check of every way in, and what is to be said where it may.

A policy plays on the network, with the observation and the action set that it was made for, and on no other. Under
other rules, where actions take other numbers of steps, and with green as it was not, it plays, and that is said; one
that remembers what is under way plays only where something is.
"""

from __future__ import annotations

from pathlib import Path

from cageflow.envs.agent import BlueSetting
from cageflow.envs.options import MIXED_RULES
from cageflow.errors import UserError
from cageflow.learn.policy import Policy, PolicyCard, check_durations, red_made_for
from cageflow.scenario import Network, NetworkIdentity, default_network, is_cage2
from cageflow.scenario.durations import FROM_FILE, format_durations, words_on_durations, words_on_time
from cageflow.sim.recall import num_inputs

NETWORK_FILE = "network.yaml"
"""The copy of its network file that every run on another network than CAGE-2's has in its folder."""


def check_fit(policy: Policy, setting: BlueSetting, what: str, cure: str | None = None) -> None:
    """Refuse a game that a policy was not made for.

    Args:
        policy: for one order, or for none.
        setting: the game.
        what: the policy in the user's words, such as "policy file p.safetensors".
        cure: what to do, where options of the command line are of no help; None names the option.

    Raises:
        UserError: another network, action set or observation; the sentence says which, and what to do.
    """
    card = policy.card
    check_card(card, setting, what, cure)
    network = setting.network
    expected = num_inputs(network, memory=card.memory)
    if (policy.num_observations, policy.num_actions) != (expected, len(network.codec)):
        raise UserError(
            f"{what} reads {policy.num_observations} bits and has {policy.num_actions} actions, but the game has "
            f"{expected} and {len(network.codec)}: it was made for another network, "
            f"{cure or 'whose file is to be named by --scenario'}"
        )


def check_card(card: PolicyCard, setting: BlueSetting, what: str, cure: str | None = None) -> None:
    """The part of `check_fit` that needs no more than the card; also for a learner that goes on from another's.

    Raises:
        UserError: as for `check_fit`.
    """
    network = setting.network
    played = network.identity
    if card.side != "blue":
        raise UserError(f"{what} plays red, and blue is wanted here: name it by --red-agent, or where one is named")
    if card.network is not None and not card.network.is_same_but_for_time(played):
        raise UserError(
            f"{what} was made for the network {card.network}, but the game is on {played}, with "
            f"{card.network.difference(played)}: {cure or _way_to(card.network, played)}"
        )
    if card.action_set not in (None, network.action_set):
        raise UserError(
            f"{what} was made for other actions than this cageflow has on {network.identity}: play it with the version "
            "that trained it, or train it anew"
        )
    if card.observation != setting.observation:
        raise UserError(
            f"{what} was trained on the {card.observation} observation, but {setting.observation} is asked for: "
            f"{cure or f'give --observation {card.observation}'}"
        )
    recalled = num_inputs(network, memory=card.memory) - network.num_observations
    if card.network is not None and card.sizes.get("recalled", recalled) != recalled:
        raise UserError(
            f"{what} remembers what blue can in games where {_timing(card)}, and here {_timing_of(network)}, so that "
            f"there is something else to remember: {cure or f'give --durations {_own_durations(card)}'}"
        )


def check_red_fit(policy: Policy, network: Network, what: str) -> None:
    """Refuse a network that a policy which is to play red was not made for.

    Args:
        policy: the policy.
        network: that is played.
        what: the policy in the user's words.

    Raises:
        UserError: it plays blue, or was made for another network or for other actions.
    """
    card = policy.card
    if card.side != "red":
        raise UserError(
            f"{what} plays blue, and red is wanted here: name one that `cageflow train --side red` has made"
        )
    if card.network is not None and not card.network.is_same_but_for_time(network.identity):
        raise UserError(
            f"{what} was made for the network {card.network}, but the game is on {network.identity}, with "
            f"{card.network.difference(network.identity)}: {_way_to(card.network, network.identity)}"
        )
    wanted = red_made_for(network)
    has = (policy.num_observations, policy.num_actions)
    if card.action_set != wanted["action_set"] or has != (wanted["sizes"]["table"], wanted["sizes"]["actions"]):
        raise UserError(
            f"{what} was made for what red knew and could do in another version of cageflow: play it with the version "
            "that trained it, or train it anew"
        )


def notes_on(card: PolicyCard, setting: BlueSetting, what: str) -> tuple[str, ...]:
    """What a user has to know of a policy that plays a game; a sentence each, none where all is as in its training."""
    notes = []
    if card.network is None:
        notes.append(
            f"{what} does not say which network it was made for, as files of earlier versions do not: it is taken for "
            f"one of {setting.network.identity}, whose sizes it has"
        )
    if card.rules not in (setting.rules, MIXED_RULES):
        notes.append(
            f"{what} was trained under the rules {card.rules} and plays under {setting.rules} here, which is another "
            f"game: --rules {card.rules} plays its own"
        )
    network, made_for = setting.network, card.network or setting.network.identity
    if made_for.fingerprint != network.fingerprint and made_for.is_same_but_for_time(network.identity):
        own = network.with_durations(check_durations(card.durations)).fingerprint  # other ones of hosts, or crews
        cure = f": --durations {_own_durations(card)} plays its own"
        notes.append(
            f"{what} was trained where {_timing(card)}, and here {_timing_of(network)}, which is another game"
            + (cure if own == made_for.fingerprint else "")
        )
    if card.green not in (None, setting.green) and card.green_share is None:
        was, plays = ("awake", "--green") if card.green else ("asleep", "--no-green")
        notes.append(f"{what} was trained with the green agent {was}, which is another game: {plays} plays its own")
    return tuple(notes)


def own_durations(card: PolicyCard, network: Network) -> str:
    """The durations that a policy was trained with, for its network as the file has it, see `parse_durations`.

    They are the file's where that gives the network of the card, or where the card's durations do not either.
    """
    if card.network is None or card.network.fingerprint == network.fingerprint or not card.durations:
        return FROM_FILE
    made_for = network.with_durations(check_durations(card.durations))
    return _own_durations(card) if made_for.fingerprint == card.network.fingerprint else FROM_FILE


def network_file_of(policy: Path) -> Path | None:
    """The network file that a policy file brings: that of the run folder in whose `policies` it stands.

    None if there is none: the policy stands elsewhere, or its run was on CAGE-2's network.
    """
    folder = policy.parent if policy.parent.name else policy.absolute().parent
    path = folder.parent / NETWORK_FILE
    return path if folder.name == "policies" and path.is_file() else None


def _own_durations(card: PolicyCard) -> str:
    """The durations of its training, as an option takes them."""
    return format_durations(check_durations(card.durations))


def _timing(card: PolicyCard) -> str:
    return words_on_durations(check_durations(card.durations), card.crews or 1)


def _timing_of(network: Network) -> str:
    return words_on_time(network.scenario)


def _way_to(made_for: NetworkIdentity, played: NetworkIdentity) -> str:
    """The cure of a game on another network."""
    if made_for.timeless == default_network().fingerprint:
        return "leave --scenario out"
    own = f"give that network's file by --scenario, which is {NETWORK_FILE} in the folder of the run that made it"
    return own if is_cage2(played) else f"{own}, or leave --scenario out if it stands there still"
