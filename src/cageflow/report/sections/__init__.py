"""The parts of the page, one a file: each makes its section from the material, or nothing where it does not apply."""
