"""Arguments of the library's functions, checked for their types before anything is done."""

import functools
import inspect
import os
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, ParamSpec, TypeVar

from nas_isp.errors import InputError

Given = ParamSpec("Given")
Result = TypeVar("Result")

Kind = tuple[tuple[type, ...], str]
"""Types that an argument may have, and what to give in words."""

PATH: Kind = ((str, os.PathLike), "a path")
TEXT: Kind = ((str,), "a text")
NUMBER: Kind = ((Real,), "a number")
WHOLE: Kind = ((Integral,), "a whole number")
YES_NO: Kind = ((bool,), "True or False")

MODEL = "model"
MODEL_ATTRIBUTES = ("record", "digest", "run")
"""Of a bundle, an architecture, and what runs a model: a member of one of ours or of somebody else's."""

CALLED = ("note", "progress")
CALLBACK = "callback"
CALLBACK_ATTRIBUTES = ("note", "finished", "tick")
LONGEST_VALUE = 60


def checked_arguments(**kinds: Kind) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Refuse arguments of other types than a function takes, by the names of its parameters.

    An argument that is its parameter's default passes. What is named in `CALLED` has to be a function, and a `model` a
    name, a file, kernels or an object of a model.

    Args:
        kinds: of parameters of the function; others are not looked at.
    """

    def decorate(function: Callable[Given, Result]) -> Callable[Given, Result]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError:
                return function(*args, **kwargs)  # which says what is missing or not known
            changed = {name: value for name, value in given.items() if value is not signature.parameters[name].default}
            check_types(changed, kinds)
            return function(*args, **kwargs)

        return checked

    return decorate


def check_types(given: Mapping[str, Any], kinds: Mapping[str, Kind]) -> None:
    """Refuse values of other types than their names stand for.

    Raises:
        InputError: one that names the parameter, its value and what to give.
    """
    for name, value in given.items():
        if name == MODEL:
            fits, words = _is_model(value), "a model's name or file, or a bundle, an architecture or a runner"
        elif name in CALLED:
            fits, words = callable(value), "a function"
        elif name == CALLBACK:
            fits, words = (
                all(hasattr(value, one) for one in CALLBACK_ATTRIBUTES),
                "an object with note, finished and tick",
            )
        elif name in kinds:
            fits, words = _is_of(value, kinds[name]), kinds[name][1]
        else:
            continue
        if not fits:
            shown = repr(value)
            shown = shown if len(shown) <= LONGEST_VALUE else f"{shown[: LONGEST_VALUE - 3]}..."
            raise InputError(f"{name} {shown}: give {words}", name)


def _is_of(value: object, kind: Kind) -> bool:
    types, _ = kind
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


def _is_model(value: object) -> bool:
    if isinstance(value, str | os.PathLike):
        return True
    kernels = isinstance(value, list | tuple) and len(value) > 0 and all(hasattr(one, "label") for one in value)
    return kernels or any(hasattr(value, name) for name in MODEL_ATTRIBUTES)
