"""What a saved run has to say: plots, and one HTML page that opens anywhere."""
