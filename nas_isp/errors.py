"""The error that a user's input can cause."""

from collections.abc import Iterator
from contextlib import contextmanager


class InputError(Exception):
    """Input that cannot be used.

    The message is one line that says what was given, what is allowed and what to do. It speaks of the library's
    parameters and knows no command: the commands print it, add their options for `parameters`, and exit with code 2.

    Attributes:
        parameters: names of the parameters that it is about, as in the functions of the library; often none.
    """

    def __init__(self, message: str, *parameters: str) -> None:
        super().__init__(message)
        self.parameters = parameters

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, ...]]:
        return type(self), (str(self), *self.parameters)


class UnwritableError(InputError):
    """A file that cannot be written, such as on a full disk: no fault of what was to be written."""


@contextmanager
def about(*parameters: str) -> Iterator[None]:
    """What is refused within is about these parameters, whose names the callee does not know; none changes nothing."""
    try:
        yield
    except InputError as error:
        if not parameters:
            raise
        raise type(error)(str(error), *parameters) from error
