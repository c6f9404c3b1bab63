"""A policy as a file that needs nothing of cageflow: ONNX, and a model card that says what it is."""
