"""The trainer that joins simulator, collectors and learner; trials of a search; a policy of all orders."""
