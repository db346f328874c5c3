"""What our sources never do: build SQL out of strings, or run what they read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for part in ("cli.py", "settings.py", "commands", "tagging", "trainer", "db", "worker")
    for path in ([ROOT / part] if part.endswith(".py") else (ROOT / part).rglob("*.py"))
)

TAKES_SQL = {"text", "execute", "executemany", "exec_driver_sql", "scalars", "scalar", "SQL", "copy", "literal_column"}
_COUNTS = "db/migrations/versions/0003_counts_and_edits.py"
_ENTITY_COLUMNS = "model_version_id, entity_id, day, label, mentions, tweets"
_HOUR_COLUMNS = "model_version_id, hour, tweets, mentions"
# Statements that no parameter can stand in: (file, the words before the part that varies).
CONSTANTS_ONLY = {
    ("db/session.py", "PRAGMA "),
    ("db/upgrade.py", "PRAGMA foreign_keys = "),
    (_COUNTS, f"INSERT INTO entity_counts ({_ENTITY_COLUMNS}) SELECT spans.model_version_id, entity_id, "),
    (_COUNTS, f"INSERT INTO hour_counts ({_HOUR_COLUMNS}) SELECT annotations.model_version_id, "),
}

RUNS_CODE = {"eval", "exec", "compile", "__import__"}
RUNS_CODE_OF = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml"}
LOADS_PICKLES = {"torch.load", "np.load", "numpy.load"}


def _calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def _is_built(node: ast.expr) -> bool:
    """Tell whether a string is put together: an f-string, +, %, .format() or .join()."""
    if isinstance(node, ast.BinOp):
        return any(
            isinstance(one, ast.JoinedStr) or (isinstance(one, ast.Constant) and isinstance(one.value, str))
            for one in ast.walk(node)
        )
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in ("format", "join") and isinstance(node.func.value, ast.Constant)
    return isinstance(node, ast.JoinedStr)


def _start(node: ast.expr) -> str:
    first = node.values[0] if isinstance(node, ast.JoinedStr) else None
    return str(first.value) if isinstance(first, ast.Constant) else ""


def _built_sql(path: Path) -> Iterator[ast.expr]:
    for call in _calls(path):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if name in TAKES_SQL:
            yield from (argument for argument in call.args[:1] if _is_built(argument))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sql_is_built_from_strings(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    found = [ast.unparse(sql) for sql in _built_sql(path) if (name, _start(sql)) not in CONSTANTS_ONLY]
    assert found == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_is_read_is_run(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in imported} & RUNS_CODE_OF
    for call in _calls(path):
        assert ast.unparse(call.func) not in RUNS_CODE | LOADS_PICKLES
        for keyword in call.keywords:
            said = (keyword.arg, getattr(keyword.value, "value", None))
            assert said not in (("trust_remote_code", True), ("shell", True), ("weights_only", False))


@pytest.mark.parametrize(
    "sql", ['f"SELECT {x}"', '"SELECT %s" % x', '"SELECT " + x', '"SELECT {}".format(x)', '" OR ".join(x)']
)
def test_the_search_finds_what_it_looks_for(sql: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text(f"session.execute(text({sql}))\nsession.execute(text('SELECT 1'))\n")
    assert len(list(_built_sql(file))) == 1
