"""Statistics over the runs of several groups, and their page."""
