"""What `nas_isp` offers is loaded when it is asked for, and no name of it is hidden by a part of the package."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import nas_isp

FOLDER = Path(nas_isp.__file__).parent


def test_importing_the_package_loads_nothing_else_of_it_and_no_library() -> None:
    program = "import sys; before = set(sys.modules); import nas_isp; print(*sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in result.stdout.split()} - set(sys.stdlib_module_names) == {"nas_isp"}
    assert "nas_isp." not in result.stdout


def test_a_name_loads_no_more_than_it_needs() -> None:
    program = (
        "import sys, nas_isp; nas_isp.Study, nas_isp.LatencyTable; print({'torch', 'optuna', 'ray'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


@pytest.mark.parametrize("name", nas_isp.__all__)
def test_every_name_is_what_its_module_defines(name: str) -> None:
    found = getattr(nas_isp, name)
    assert found is getattr(nas_isp, name)
    assert name in dir(nas_isp)


def test_type_checkers_see_the_same_names_from_the_same_modules() -> None:
    tree = ast.parse(Path(nas_isp.__file__).read_text())
    seen = {
        alias.name: node.module.removeprefix("nas_isp.")
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    assert seen == nas_isp._PLACES
    assert sorted(seen) == sorted(nas_isp.__all__)


def test_no_name_is_one_of_a_part_of_the_package() -> None:
    parts = {path.stem for path in FOLDER.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not parts & set(nas_isp.__all__)
    importlib.import_module("nas_isp.search.space")
    importlib.import_module("nas_isp.develop.plan")
    assert callable(nas_isp.run_search)
    assert callable(nas_isp.develop_photo)


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'run_serach'"):
        nas_isp.run_serach  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize("name", [name for name in nas_isp.__all__ if name[0].islower() and "_" in name])
def test_every_function_says_what_it_does_and_what_it_refuses(name: str) -> None:
    documented = getattr(nas_isp, name).__doc__ or ""
    assert "Raises:" in documented
