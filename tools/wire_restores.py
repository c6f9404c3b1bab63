"""Write the learner of a run with units that close futile Restores, for `cageflow train --start-from` to go on from.

    python -m tools.wire_restores RUN FILE

The hidden layers are wider by one unit for each host; `ppo: {hidden_sizes: [...]}` of the training that begins with the
file has to say so, and what to say is printed.
"""

import argparse
from pathlib import Path

from cageflow.files import write_whole
from cageflow.learn.restore_gates import restore_gates
from cageflow.learn.wiring import wire
from cageflow.runs.layout import CONFIG, STATE, checkpoint_file
from cageflow.settings.reading import read_config
from cageflow.training.state_file import dump_state, learner_in, load_learner


def main() -> None:
    """Wire the learner of the run that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a run of cageflow train")
    parser.add_argument("out", type=Path, metavar="file", help="to be written")
    given = parser.parse_args()
    learner = learner_in(load_learner(checkpoint_file(given.run, STATE)))
    if learner is None:
        parser.error(f"{given.run} has no learner")
    wired = wire(learner, restore_gates(read_config(given.run / CONFIG).game().network))
    write_whole(given.out, dump_state({"ppo": wired}))
    sizes = [len(wired["networks"][f"actor.{number}.weight"]) for number in range(2)]
    print(f"{given.out}: hidden_sizes: {sizes}")


if __name__ == "__main__":
    main()
