"""What a Python program and the command line call: a function for each job, and records of what comes of it.

`import cageflow` names what stands here for users, see `cageflow.__all__`; it is loaded when it is first asked for.
"""
