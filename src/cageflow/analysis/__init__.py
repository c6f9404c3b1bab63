"""A policy is played to say in words what it does and knows."""
