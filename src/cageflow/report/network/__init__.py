"""A network in words, as a table in the terminal, and as a picture."""
