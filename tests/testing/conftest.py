"""Exports are slow: the tests here share their conversions."""

from tests.one_conversion import each_network_is_converted_once, ranges_are_observed_on_few_pictures

__all__ = ["each_network_is_converted_once", "ranges_are_observed_on_few_pictures"]
