"""The package keeps its promises about structure: import direction, light pure modules, valid shipped files."""

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from nas_isp import resources
from nas_isp.latency.measure.devices import load_table
from nas_isp.recipe import load_recipe
from nas_isp.search.space import load_space

PACKAGE = Path(resources.__file__).parent
ORDER = (
    ("errors", "cores", "allocator", "files", "progress", "seeds", "settings", "resources", "recipe"),
    ("raw",),
    ("data",),
    ("generators",),
    ("perceptual",),
    ("evaluation",),
    ("adversarial",),
    ("latency",),
    ("search",),
    ("distillation",),
    ("export",),
    ("report",),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
EARLY_RECORDS = {"nas_isp.generators.architecture", "nas_isp.raw.sensor"}
"""Plain records without imports of their own part, which settings may contain."""

PURE = [
    "nas_isp.search.pareto",
    "nas_isp.search.rungs",
    "nas_isp.latency.predict.roofline",
    "nas_isp.latency.predict.correction",
]


def _imports(path: Path) -> list[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return [
        node.module for node in nodes if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nas_isp.")
    ]


@pytest.mark.parametrize("part", [name for names in ORDER for name in names if (PACKAGE / name).is_dir()])
def test_a_part_imports_nothing_on_its_right(part: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for path in (PACKAGE / part).rglob("*.py")
        for module in _imports(path)
        if module not in EARLY_RECORDS and RANK[module.split(".")[1]] > RANK[part]
    ]
    assert not wrong


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
