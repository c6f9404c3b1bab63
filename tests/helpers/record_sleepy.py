"""Records CybORG against the sleepy red agents of King et al., from the file that they published.

    python -m tests.helpers.record_sleepy --cyborg-path DIR --sleepy CC2/custom_red_agents/sleepy.py --out FOLDER

writes a file for each of the two and each blue policy; `cageflow parity` replays them.
"""

import argparse
import importlib.util
from dataclasses import replace
from pathlib import Path
from unittest import mock

from cageflow.envs.cyborg import cyborg_rules, import_cyborg
from cageflow.parity.blue_policies import POLICIES
from cageflow.parity.recorder import record_episodes
from cageflow.parity.recording import save_recording

CLASSES = {"sleepy-bline": ("SleepyBLine", "B_lineAgent"), "sleepy-meander": ("SleepyMeander", "RedMeanderAgent")}
"""By our name: their class, and the class of CybORG's that it is recorded in the place of."""


def main() -> None:
    """Record, and write the files."""
    parser = argparse.ArgumentParser()
    for option in ("--cyborg-path", "--sleepy", "--out"):
        parser.add_argument(option, type=Path, required=True)
    parser.add_argument("--episodes", type=int, default=10)
    parser.add_argument("--max-steps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    import_cyborg(asked.cyborg_path)
    agents, rules = importlib.import_module("CybORG.Agents"), cyborg_rules(asked.cyborg_path)
    spec = importlib.util.spec_from_file_location("sleepy", asked.sleepy)
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    asked.out.mkdir(parents=True, exist_ok=True)
    steps = 0
    for red, (name, base) in CLASSES.items():
        for blue in POLICIES:
            for green in (False, True):
                with mock.patch.object(agents, base, getattr(theirs, name)):
                    recording = record_episodes(
                        asked.cyborg_path, rules, base, blue, green, asked.seed, asked.episodes, asked.max_steps
                    )
                recording = replace(recording, meta=replace(recording.meta, red=red))
                save_recording(asked.out / f"{rules}_{red}_{blue}_g{int(green)}_s{asked.seed}.npz", recording)
                steps += asked.episodes * asked.max_steps
    print(f"{steps} steps")


if __name__ == "__main__":
    main()
