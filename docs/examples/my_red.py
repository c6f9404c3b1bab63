"""A red agent of ten lines: it takes one by one what it has found, and impacts as soon as it can.

cageflow evaluate champion --red-agent my_red.py:Greedy
"""

import random


class Greedy:
    """The last step of the attack that can be taken anywhere, at a host by chance."""

    def reset(self, network, seed):
        """Begin an episode; the seed is the only chance that an attacker should use."""
        self.random = random.Random(seed)

    def act(self, view):
        """The name of an action."""
        done = {f"scan {name}" for name, host in view.hosts.items() if host.is_scanned}
        done |= {f"exploit {name}" for name, host in view.hosts.items() if host.access != "none"}
        done |= {f"escalate {name}" for name, host in view.hosts.items() if host.access == "privileged"}
        done |= {f"sweep {name}" for name in view.swept}
        for verb in ("impact", "escalate", "exploit", "scan", "sweep"):
            able = [name for name in view.actions if name.startswith(verb) and name not in done]
            if able:
                return self.random.choice(able)
        return "Sleep"
