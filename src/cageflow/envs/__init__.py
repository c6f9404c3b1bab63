"""CAGE-2 behind Gymnasium's interfaces: one game, many games, and the original through its bridge.

Loading it registers the environments with Gymnasium; `import cageflow` does so.
"""

import gymnasium

gymnasium.register(
    "cageflow/Cage2-v0",
    entry_point="cageflow.envs.single:Cage2Env",
    vector_entry_point="cageflow.envs.vector:Cage2VectorEnv",
)
gymnasium.register(
    "cageflow/Cage2Red-v0",
    entry_point="cageflow.agents.red_envs:Cage2RedEnv",
    vector_entry_point="cageflow.agents.red_envs:Cage2RedVectorEnv",
)
