"""Many runs with one question: the champion, the table of baselines."""
