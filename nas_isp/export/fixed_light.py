"""Which gains go into the weights of a file that is to develop every capture in one light."""

from nas_isp.errors import InputError
from nas_isp.raw.light import LightChoice, parse_light
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.sensor import Gains


def light_to_fold(text: str) -> LightChoice:
    """A light that does not hang on the capture, from what a user writes: fixed, or gains ``R,G,B``.

    Raises:
        InputError: anything else.
    """
    choice = parse_light(text)
    if choice.source != "fixed":
        raise InputError(
            f"light '{choice.source}' is each capture's own: leave light out, and the file takes its gains; or give "
            "fixed or three gains R,G,B, which go into the weights",
            "light",
        )
    return choice


def gains_to_fold(choice: LightChoice, takes: NetworkInput) -> Gains:
    """The gains, G = 1: the given ones, else those of the training captures."""
    red, green, blue = choice.given or takes.white_balance
    return red / green, 1.0, blue / green
