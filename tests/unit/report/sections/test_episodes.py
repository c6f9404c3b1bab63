"""Timelines of episodes on networks of any names."""

from cageflow.analysis.moves import ExampleEpisode, Move
from cageflow.report.drawing import draw
from cageflow.report.sections.episodes import _timeline
from cageflow.scenario import BlueKind, RedKind


def test_episode__of_few_steps_on_hosts_with_wide_names_has_room_for_them() -> None:
    hosts = [letter * 80 for letter in "WMQ@%&GODHNUX"]
    moves = [
        Move(
            number=number,
            blue=f"Restore {hosts[number]}",
            blue_kind=BlueKind.RESTORE,
            blue_host=number,
            blue_success=True,
            red=f"ExploitRemoteService {hosts[number]}",
            red_kind=RedKind.EXPLOIT_REMOTE_SERVICE,
            red_host=number,
            red_success=True,
            reward=-1.0,
            access="2" * len(hosts),
        )
        for number in (1, 2, 3)
    ]
    example = ExampleEpisode(role="good", seed=1, share=0.5, env_return=-3.0, compliance=None, moves=tuple(moves))
    draw(_timeline(example, hosts))  # Matplotlib warns, which is an error here, where there is none
