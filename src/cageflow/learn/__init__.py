"""The learner: networks, acting, advantages, the PPO update and policy files.

It takes a rollout and does not know who made it. `adam`, `losses`, `torch_networks` and `torch_learner` need torch and
are for a learner on a device; nothing else does, so a run on the CPU starts without waiting for it.
"""
