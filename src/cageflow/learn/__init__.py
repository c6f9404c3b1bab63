"""The learner: networks, acting, advantages, the PPO update and policy files.

It takes a rollout and does not know who made it. `config`, `bit_table`, `sampling`, `dense`, `inference`, `rollout`,
`advantages`, `compiled_update`, `policy` and `policy_file` need no torch, so that a worker that only acts starts
quickly; `networks`, `compiled_learner`, `torch_learner`, `losses`, `value_scale` and `ppo` do.
"""
