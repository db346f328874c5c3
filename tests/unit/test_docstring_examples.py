"""The examples in docstrings say what the code does."""

import doctest
from importlib import import_module

import pytest

from tests.processes import ROOT

FOLDERS = ("answers", "benchmarks", "commands", "db", "explorer", "tagging", "trainer", "worker")
FILES = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py")) if ">>> " in file.read_text()]


@pytest.mark.parametrize("name", [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in FILES])
def test_examples(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
