"""What a name means: one thing, in the whole project."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.unit.repo.test_imports import PACKAGES, ROOT


def test_no_two_types_have_one_name() -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(str(path.relative_to(ROOT)))
    assert found
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}
