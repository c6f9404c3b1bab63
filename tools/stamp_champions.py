"""Write into the packaged champions which network they were made for; their weights stay as they are, bit for bit.

    python tools/stamp_champions.py

To be run where CAGE-2's fingerprint, its actions or the card of a policy changed and the game did not, so that the
champions still play it. Whether they do is for `tests/unit/agents/test_champions.py` to say.
"""

from dataclasses import replace

from cageflow.agents.champions import CHAMPION_FOLDER
from cageflow.learn.policy import Policy, made_for
from cageflow.learn.policy_file import load_policy, save_policy
from cageflow.scenario import default_network

for path in sorted(CHAMPION_FOLDER.glob("*.safetensors")):
    old = load_policy(path)
    card = old.card
    ordered, told = card.workflow is not None, card.is_told_rules
    entries = made_for(default_network(), memory=card.memory, ordered=ordered, tells_rules=told)
    save_policy(path, Policy(replace(card, **entries), old.layers, old.order_encoding))
    print(path.name)
