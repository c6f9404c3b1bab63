"""Watching an episode: what is shown, who can play blue, how it ends."""

import io

import pytest
from rich.console import Console

from cageflow.agents.baselines import BASELINES
from cageflow.envs.agent import BlueSetting
from cageflow.envs.options import GameOptions
from cageflow.envs.single import Cage2Env
from cageflow.errors import UserError
from cageflow.evaluation import play
from cageflow.evaluation.play import HumanPolicy, play_episode
from cageflow.scenario import default_network

CODEC = default_network().codec


@pytest.fixture(autouse=True)
def slept(monkeypatch):
    seconds = []
    monkeypatch.setattr(play.time, "sleep", seconds.append)
    return seconds


def baseline(name):
    return BASELINES[name](BlueSetting(default_network()))


def console(terminal=False, width=130, height=40):
    out = io.StringIO()
    return out, Console(file=out, force_terminal=terminal, width=width, height=height, color_system=None)


def test_plain_lines__tell_every_step_and_the_return(slept):
    out, where = console()
    options = GameOptions("bline", max_steps=20)
    played = play_episode(options, baseline("sleep"), seed=0, out=where, blue="sleep")
    env = Cage2Env(**options.as_kwargs())
    env.reset(seed=0)
    lines = out.getvalue().splitlines()
    assert lines[0] == "B_lineAgent against sleep, rules v2.1, corrected observation, seed 0"
    total = 0.0
    for number in range(1, 21):
        reward = env.step(0)[1]
        total += reward
        assert lines[number].startswith(
            f"{number:4}  reward {reward:5.1f}   blue Sleep   red {env.last_step().red_action}"
        )
        assert "User0*" in lines[number].partition("red holds")[2]
    assert lines[-1] == f"return {total:.1f} in 20 steps"
    assert played == (20, round(total, 1), True, (0,) * 20)
    assert any("OTService" in line for line in lines)
    assert slept == []


def test_terminal__shows_the_network_and_waits_between_steps(slept):
    out, where = console(terminal=True)
    options = GameOptions("meander", max_steps=4)
    play_episode(options, baseline("random"), seed=0, delay=0.25, out=where)
    assert slept == [0.25] * 4
    text = out.getvalue()
    assert "step 4 of 4" in text and "Op_Server0" in text and "privileged" in text


def test_narrow_terminal__keeps_every_column_that_matters():
    out, where = console(terminal=True, width=80, height=24)
    options = GameOptions("bline", max_steps=30)
    play_episode(options, baseline("sleep"), seed=0, out=where)
    text = out.getvalue()
    assert max(map(len, text.splitlines()[-20:])) <= 80 + len("\x1b[2K")
    assert "compromised" in text and "OTService" in text


def test_same_seed__plays_the_same_episode():
    options = GameOptions("meander", green=True)
    outs = []
    for _ in range(2):
        out, where = console()
        play_episode(options, baseline("random"), seed=5, out=where)
        outs.append(out.getvalue())
    assert outs[0] == outs[1]


def test_ctrl_c__ends_quietly():
    out, where = console()

    def policy(observation):
        if len(out.getvalue().splitlines()) > 3:
            raise KeyboardInterrupt
        return 0

    played = play_episode(GameOptions(), policy, out=where)
    assert (played.num_steps, played.is_whole) == (3, False)
    assert out.getvalue().splitlines()[-1].endswith("in 3 steps")


def play_by_hand(monkeypatch, answers, **options):
    out, where = console()
    answers = iter(answers)

    def answer(prompt):
        try:
            return next(answers)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr(where, "input", answer)
    game = GameOptions("bline", **options)
    played = play_episode(game, HumanPolicy(game.network, where), seed=0, out=where, blue="human")
    return played, out.getvalue()


def test_human__is_helped_asked_what_was_meant_and_can_quit(monkeypatch):
    answers = ["help", "remove usr1", "999", "-3", "? restore u", "quit", "Sleep"]
    played, text = play_by_hand(monkeypatch, answers, max_steps=4)
    assert (played.num_steps, played.is_whole) == (0, False)
    assert "Restore: " in text and "Analyse: " in text  # the list
    assert "'remove usr1' is no action; did you mean Remove User1" in text
    assert "'999' is no action's number: they go from 0 to 144." in text
    assert "'-3' is no action's number" in text
    assert text.splitlines()[-1] == "return 0.0 in 0 steps"


@pytest.mark.parametrize("end", [EOFError, KeyboardInterrupt])
def test_human__leaves_the_line_of_the_question_when_the_input_ends(monkeypatch, end):
    out, where = console()

    def answer(prompt):
        where.print(prompt, end="")
        raise end

    monkeypatch.setattr(where, "input", answer)
    game = GameOptions("bline")
    assert play_episode(game, HumanPolicy(game.network, where), seed=0, out=where).num_steps == 0
    assert out.getvalue().splitlines()[-2:] == [
        "blue's action (help for a list, quit to end): ",
        "return 0.0 in 0 steps",
    ]


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        ("", "Sleep"),
        ("mon", "Monitor"),
        ("Remove User1", "Remove User1"),
        ("  restore   op_server0 ", "Restore Op_Server0"),
        ("restore op_s", "Restore Op_Server0"),
        ("144", CODEC.names[144]),
        ("s", "Sleep"),
    ],
)
def test_person__names_an_action(monkeypatch, answer, action):
    played, text = play_by_hand(monkeypatch, [answer])
    assert played.num_steps == 1
    assert f"blue {action}" in text.replace("blue   ", "blue ")


def test_person__is_told_what_an_unclear_answer_could_mean(monkeypatch):
    played, text = play_by_hand(monkeypatch, ["remove user", "?analyse", "evict", "145"])
    assert played.num_steps == 0
    assert f"Remove: {CODEC.encode('Remove User0')} User0, " in text
    assert f"Analyse: {CODEC.encode('Analyse Defender')} Defender, " in text
    assert "'evict' is no action; " in text and "'145' is no action's number" in text


def test_person__sees_the_truth_only_at_the_end(monkeypatch):
    _, text = play_by_hand(monkeypatch, ["", "", ""], max_steps=4)
    before, _, after = text.partition("the truth")
    assert "privileged" not in before and "Discover" not in before
    assert "privileged" in after
    assert "activity" in before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"delay": -1.0}, "delay is -1.0; expected seconds from 0"),
        ({"delay": float("nan")}, "delay is nan"),
    ],
)
def test_impossible_number__is_refused(options, sentence):
    with pytest.raises(UserError, match=sentence):
        play_episode(GameOptions(), lambda observation: 0, out=console()[1], **options)


def test_policy_that_gives_no_action__is_refused():
    with pytest.raises(UserError, match="145 is no action"):
        play_episode(GameOptions(), lambda observation: 145, out=console()[1])


def test_line__says_what_ended_what_is_under_way_and_what_was_in_vain():
    out, where = console()
    options = GameOptions("sleep", max_steps=4, durations="1,1,3,1")
    actions = iter(("Restore User1", "Analyse User1", "Restore User1", "Remove User2"))
    encode = options.network.codec.encode
    play_episode(options, lambda observation: encode(next(actions)), seed=0, out=where)
    title, *lines = out.getvalue().splitlines()[:5]
    assert "actions take several steps (restore 3)" in title
    assert [line.partition("blue ")[2].partition("   red")[0] for line in lines] == [
        "Restore User1; under way: Restore User1, 2 steps left",
        "Analyse User1 (in vain, all crews are busy); under way: Restore User1, 1 step left",
        "Restore User1 (in vain, all crews are busy); done: Restore User1 (ok)",
        "Remove User2 (ok)",
    ]
