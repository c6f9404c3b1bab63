"""The errors that a user of cageflow can cause."""


class UserError(ValueError):
    """Input that cannot be used.

    The message is one sentence that says what was given and what is possible. The command line prints it and ends
    with exit status 2; nothing has been written when it is raised.
    """
