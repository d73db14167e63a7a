"""The conformance classes can be imported where pytest is not installed."""

import ast
from pathlib import Path

from nas_isp import testing


def test_no_module_imports_pytest() -> None:
    modules = sorted(Path(testing.__file__).parent.glob("*.py"))
    assert len(modules) == 10
    imported = {
        alias.name
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in [*node.names, *([ast.alias(node.module)] if isinstance(node, ast.ImportFrom) else [])]
    }
    assert "torch" in imported
    assert not {name for name in imported if name.split(".")[0] in ("pytest", "_pytest")}
