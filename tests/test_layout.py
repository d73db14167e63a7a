"""The package keeps its promises about structure: import direction, light pure modules, valid shipped files."""

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nas_isp import resources
from nas_isp.latency.measure.devices import load_table
from nas_isp.picture_size import FULL_HD_PACKED, FULL_HD_TEXT
from nas_isp.recipe import load_recipe
from nas_isp.search.space import load_space

PACKAGE = Path(resources.__file__).parent
ORDER = (
    (
        *("errors", "cores", "allocator", "files", "progress", "seeds", "settings", "resources", "precision"),
        *("quiet", "registry", "all_registries", "torch_files", "compute", "deadlines", "picture_size"),
        *("processes", "scratch", "arguments"),
    ),
    ("perceptual",),
    ("raw",),
    ("data", "evaluation", "generators"),
    ("recipe", "formats"),
    ("preparation", "runtimes"),
    ("training", "latency", "develop"),
    ("search", "distillation", "export"),
    ("report",),
    ("api",),
    ("cli", "testing"),
)
"""Imports run from left to right; parts of one group do not import each other, but for the root files."""

INSIDE = {"latency": ("kernels", "predict", "measure", "validate")}
"""The same for the rooms within a part."""

RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}

PURE = [
    "nas_isp.search.pareto",
    "nas_isp.search.rungs",
    "nas_isp.latency.predict.roofline",
    "nas_isp.latency.predict.correction",
]


def _modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    names = {path: path.relative_to(PACKAGE.parent).with_suffix("").parts for path in PACKAGE.rglob("*.py")}
    return {".".join(parts).removesuffix(".__init__"): path for path, parts in names.items()}


MODULES = _modules()


def _imports(path: Path, module: str) -> set[str]:
    """The package's modules that a file imports anywhere in it, but for the types' sake."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relative to itself"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                named.add(inner if inner in MODULES else str(node.module))
    return named & MODULES.keys() - {"nas_isp", module}


IMPORTS = {module: _imports(path, module) for module, path in MODULES.items()}


def _part(module: str) -> str:
    return module.split(".")[1]


def test_every_part_has_its_place_in_the_order() -> None:
    assert {_part(module) for module in MODULES if module != "nas_isp"} == RANK.keys()


@pytest.mark.parametrize("part", RANK)
def test_a_part_imports_only_what_stands_left_of_it(part: str) -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        for other in others
        if module != "nas_isp" and _part(module) == part != _part(other) and RANK[_part(other)] >= max(RANK[part], 1)
    ]
    assert not wrong


@pytest.mark.parametrize("part", INSIDE)
def test_rooms_of_a_part_import_only_what_stands_left_of_them(part: str) -> None:
    rank = {name: rank for rank, name in enumerate(INSIDE[part])}
    wrong = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        for other in others
        if module.startswith(f"nas_isp.{part}.") and other.startswith(f"nas_isp.{part}.")
        if rank[other.split(".")[2]] > rank[module.split(".")[2]]
    ]
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also not late, within functions: what needs each other is one thing, or has a third one in it."""
    left = {module: set(others) for module, others in IMPORTS.items()}
    while free := [module for module, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    assert not left, f"in circles or behind one: {', '.join(sorted(left))}"


def test_no_module_is_called_like_one_of_the_standard_library() -> None:
    own_names = {module.split(".")[-1] for module in MODULES if module.count(".") > 0}
    assert not own_names & (sys.stdlib_module_names - ALLOWED_NAMES)


ALLOWED_NAMES: frozenset[str] = frozenset()


@pytest.mark.parametrize("folder", ["tools", "benchmarks"])
def test_scripts_import_what_the_package_has(folder: str) -> None:
    scripts = sorted((PACKAGE.parent / folder).rglob("*.py"))
    wanted = {
        (path.name, node.module, alias.name)
        for path in scripts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nas_isp")
        for alias in node.names
    }
    assert wanted
    assert not [names for names in sorted(wanted) if not _has(str(names[1]), names[2])]


def _has(module: str, name: str) -> bool:
    found = importlib.import_module(module)
    is_module = hasattr(found, "__path__") and importlib.util.find_spec(f"{module}.{name}") is not None
    return is_module or hasattr(found, name)


@pytest.mark.parametrize("module", PURE)
def test_pure_numerics_load_no_framework(module: str) -> None:
    program = f"import sys, {module}; print(sorted({{'torch', 'optuna', 'ray'}} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_shipped_file_is_valid() -> None:
    spaces, recipes, tables = (resources.names(kind) for kind in ("search_spaces", "distill", "latency_tables"))
    assert all((spaces, recipes, tables))
    for name in spaces:
        load_space(name)
    for name in recipes:
        load_recipe(name)
    for name in tables:
        assert load_table(name).device.id == name


def test_a_malformed_recipe_names_file_line_and_field(tmp_path: Path) -> None:
    from nas_isp.errors import InputError

    path = tmp_path / "bad.yaml"
    path.write_text("description: bad\ntrain:\n  batch: 0\nteacher:\n  architecture:\n    blocks: []\n")
    with pytest.raises(InputError, match=r"bad.yaml, line 3, field 'train.batch'.*and 1 more"):
        load_recipe(str(path))


def test_yaml_aliases_tags_and_repeated_fields_are_refused(tmp_path: Path) -> None:
    from nas_isp.errors import InputError

    for text in ("a: &x 1\nb: *x\n", "a: !!python/object/apply:os.system [ls]\n", "a: 1\na: 2\n"):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(InputError, match=r"bad\.yaml, line"):
            load_recipe(str(tmp_path / "bad.yaml"))


MOST_LINES = 40


@pytest.mark.parametrize("module", MODULES)
def test_public_functions_are_short(module: str) -> None:
    """Lines of code with the signature, without docstring, comments and blank lines."""
    text = MODULES[module].read_text()
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            documented = ast.get_docstring(node) is not None
            doc = range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1) if documented else range(0)
            numbers = [number for number in range(node.lineno, (node.end_lineno or 0) + 1) if number not in doc]
            code = [line for line in (lines[number - 1].strip() for number in numbers) if line and line[0] != "#"]
            assert len(code) <= MOST_LINES, f"{node.name} has {len(code)}"


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith("nas_isp.cli")])
def test_errors_of_the_library_know_no_command_and_no_option(module: str) -> None:
    raised = [
        node
        for node in ast.walk(ast.parse(MODULES[module].read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error")
    ]
    texts = [
        part.value
        for call in raised
        for part in ast.walk(call)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    assert not [text for text in texts if re.search(r"(?<![\w-])--[a-z]|nas-isp [a-z]", text)]


def test_the_size_that_costs_are_quoted_for_stands_in_one_place() -> None:
    """But for prose, which names it: no module has a number or a text of it of its own."""
    own = [
        f"{module}, line {node.lineno}"
        for path, module in ((path, module) for module, path in MODULES.items() if module != "nas_isp.picture_size")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in (*FULL_HD_PACKED, FULL_HD_TEXT)
    ]
    assert not own
