"""What a policy does: fresh episodes of it, and what they come to in numbers that a defender can act on."""
