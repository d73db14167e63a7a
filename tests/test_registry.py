"""A registry finds its members wherever they come from, and refuses what is doubtful by name."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from nas_isp.errors import InputError
from nas_isp.registry import Registry


def _registry(*installed: EntryPoint) -> Registry[object]:
    registry: Registry[object] = Registry("number", "nas_isp.no_such_group", {"pi": "math:pi", "e": "math:e"})
    points: dict[str, list[EntryPoint]] = {}
    for point in installed:
        points.setdefault(point.name, []).append(point)
    registry.__dict__["_installed"] = points
    return registry


def _point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "nas_isp.no_such_group")


def test_members_of_all_three_origins_are_found_by_name() -> None:
    registry = _registry(_point("tau", "math:tau"))
    registry.register("one", 1)
    assert list(registry) == ["pi", "e", "one", "tau"]
    assert (registry["pi"], registry["one"], registry["tau"]) == (3.141592653589793, 1, 6.283185307179586)
    assert len(registry) == 4
    assert repr(registry) == "<registry of number: pi, e, one, tau>"


def test_nothing_is_imported_before_it_is_used() -> None:
    program = (
        "import sys; from nas_isp.registry import Registry; "
        "r = Registry('thing', 'nas_isp.none', {'a': 'torch:Tensor'}); "
        "assert 'a' in r and list(r) == ['a'] and r.check('a') == 'a'; print('torch' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"^unknown number 'x': known are pi, e; give one, or install what adds it$"):
        _registry()["x"]


@pytest.mark.parametrize("name", ["pi", "tau"])
def test_a_name_that_is_taken_cannot_be_registered(name: str) -> None:
    with pytest.raises(ValueError, match=f"number '{name}' is there already"):
        _registry(_point("tau", "math:tau")).register(name, 3)


@pytest.mark.parametrize("name", ["", "Pi", "a b", "-x", "é", "a\n"])
def test_a_name_that_a_command_line_cannot_take_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a name is of small letters"):
        _registry().register(name, 3)


def test_a_name_that_two_packages_define_is_refused_and_the_others_still_work() -> None:
    registry = _registry(_point("pi", "math:tau"), _point("x", "math:e"), _point("x", "math:pi"))
    for name in ("pi", "x"):
        with pytest.raises(InputError, match=f"number '{name}' is defined more than once"):
            registry[name]
    assert registry["e"] == 2.718281828459045


@pytest.mark.parametrize("value", ["no_such_module:x", "math:no_such_thing"])
def test_a_package_that_cannot_be_imported_is_named_and_stops_nothing_else(value: str) -> None:
    registry = _registry(_point("bad", value))
    with pytest.raises(InputError, match=r"number 'bad' of package .* cannot be imported .*uninstall that package"):
        registry["bad"]
    assert registry["pi"] == 3.141592653589793


def test_what_was_registered_can_be_handed_to_another_process() -> None:
    first, second = _registry(), _registry()
    first.register("one", 1)
    second.adopt(first.registered)
    assert second["one"] == 1
