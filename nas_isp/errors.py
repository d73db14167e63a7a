"""The error that a user's input can cause."""


class InputError(Exception):
    """Input that cannot be used.

    The message is one line that says what was given, what is allowed and what to do. The commands print it
    and exit with code 2.
    """


class UnwritableError(InputError):
    """A file that cannot be written, such as on a full disk: no fault of what was to be written."""
