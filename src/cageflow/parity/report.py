"""What a person reads of a replay."""

from collections.abc import Sequence
from dataclasses import dataclass

from cageflow.parity.recording import FIELDS, Recording, index_names
from cageflow.parity.replay import COMPARED, POSSIBLE_DRAWS, Mismatch, ReplayReport
from cageflow.scenario import RedKind
from cageflow.sim.enums import Activity, Compromise, Outcome

_RED_NAMES = {
    RedKind.SLEEP: "Sleep",
    RedKind.DISCOVER_REMOTE_SYSTEMS: "DiscoverRemoteSystems",
    RedKind.DISCOVER_NETWORK_SERVICES: "DiscoverNetworkServices",
    RedKind.EXPLOIT_REMOTE_SERVICE: "ExploitRemoteService",
    RedKind.PRIVILEGE_ESCALATE: "PrivilegeEscalate",
    RedKind.IMPACT: "Impact",
}


@dataclass
class Totals:
    """Sums over the files of one command; the names are those of `cageflow parity --json`."""

    files: int = 0
    episodes: int = 0
    steps: int = 0
    mismatches: int = 0

    def add(self, report: ReplayReport) -> None:
        """Count one file in."""
        self.files += 1
        self.episodes += report.episodes
        self.steps += report.steps
        self.mismatches += report.mismatches

    def __str__(self) -> str:
        return f"mismatches {self.mismatches} in {self.steps} steps of {self.episodes} episodes"


def format_report(report: ReplayReport) -> str:
    """A line for the file, one for each field, and what differs in the first differing step."""
    recording, meta = report.recording, report.recording.meta
    lines = [
        f"{_name(report)}: {meta.rules}, {meta.red}, {recording.num_episodes} episodes of {recording.num_steps} steps, "
        f"{_count(report.mismatches)}"
    ]
    lines += [f"  {name:<20} {_count(report.field_mismatches[name])}" for name in COMPARED]
    if report.earliest is not None:
        lines += _format_first_step(report, report.earliest)
    return "\n".join(lines)


def _format_first_step(report: ReplayReport, earliest: Mismatch) -> Sequence[str]:
    where = f"seed {report.recording.meta.seed}, episode {earliest.episode}, step {earliest.step}"
    step = "after the reset" if earliest.step == 0 else _describe_step(report, earliest)
    lines = [f"  first differing step: {where} ({step})"]
    for one in report.first.values():
        if (one.episode, one.step) == (earliest.episode, earliest.step):
            host = "" if one.host is None else f", host {index_names(report.recording.network)['hosts'][one.host]}"
            expected, got = (describe_value(one.field, values, report, one) for values in (one.expected, one.got))
            lines.append(f"    {one.field}{host}: expected {expected}, got {got}")
    if report.path is not None:
        at = f"blue_action[{earliest.episode}, {earliest.step - 1}]" if earliest.step else f"obs[{earliest.episode}, 0]"
        lines.append(f"    repeat it with: cageflow parity {report.path}    (the step begins at {at} of the file)")
    return lines


def _describe_step(report: ReplayReport, at: Mismatch) -> str:
    """What the recording says that blue, green and red did in a step."""
    recording, names = report.recording, index_names(report.recording.network)
    place = at.episode, at.step - 1
    words = [f"blue {names['actions'][recording.blue_action[place]]}"]
    if recording.green_scan[place] >= 0:
        words.append(f"green scans {names['hosts'][recording.green_scan[place]]}")
    kind, target = RedKind(int(recording.red_kind[place])), int(recording.red_target[place])
    red = f"red {_RED_NAMES[kind]}"
    if target >= 0:
        red += f" {_red_target(kind, target, recording)}"
    if recording.exploit[place] >= 0:
        red += f" by {names['exploits'][recording.exploit[place]]}"
    return ", ".join([*words, red])


def describe_value(field: str, values: tuple[float, ...], report: ReplayReport, at: Mismatch) -> str:
    """A value of a field in words, with the number behind it.

    Args:
        field: one of `COMPARED`.
        values: one value, or the four bits of a host.
        report: where it stands.
        at: likewise.
    """
    names = index_names(report.recording.network)
    if field in ("obs", "obs_official"):
        bits = [int(bit) for bit in values]
        activity, compromise = Activity(bits[0] + 2 * bits[1]), Compromise(bits[2] + 2 * bits[3])
        return f"{''.join(map(str, bits))} (activity {activity.name}, compromise {compromise.name})"
    if field == "reward":
        return f"{values[0]:.1f}"
    value = int(values[0])
    if field == "red_target":
        kind = RedKind(int(report.recording.red_kind[at.episode, at.step - 1]))
        words = _red_target(kind, value, report.recording)
    elif field == "red_kind":
        words = _RED_NAMES[RedKind(value)]
    elif field in ("red_success", "blue_success"):
        words = Outcome(value).name
    elif field == POSSIBLE_DRAWS:
        words = "every recorded draw is possible" if value else "a recorded draw is none that could have happened"
    elif field == "decoys":
        words = "+".join(name for i, name in enumerate(names["decoys"]) if value >> i & 1) or "none"
    elif field in FIELDS and isinstance(FIELDS[field].high, str):
        words = names[str(FIELDS[field].high)][value] if value >= 0 else "none"
    else:
        return str(value)
    return f"{value} ({words})"


def _red_target(kind: RedKind, target: int, recording: Recording) -> str:
    if target < 0:
        return "none"
    names = index_names(recording.network)["subnets" if kind == RedKind.DISCOVER_REMOTE_SYSTEMS else "hosts"]
    return names[target] if target < len(names) else "beyond the list"


def _name(report: ReplayReport) -> str:
    return "recording" if report.path is None else report.path.name


def _count(mismatches: int) -> str:
    return f"{mismatches} mismatch{'' if mismatches == 1 else 'es'}"
