"""What a run is asked for: one record, from the command line or a file, signed in its folder."""
