"""Who may import whom, and what stays light: the import table of the design, read from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("tagging", "trainer", "db", "answers", "worker", "explorer", "commands")

# Each of ours -> which of ours it may import. A dotted name allows that module alone.
ALLOWED: dict[str, set[str]] = {
    "tagging": {"tagging"},
    "settings": {"tagging.errors"},
    "trainer": {"trainer", "tagging"},
    "db": {"db", "tagging.errors", "tagging.spans", "tagging.words"},
    "answers": {"answers", "db", "tagging.errors", "tagging.spans"},
    "worker": {"worker", "tagging", "db", "settings"},
    "explorer": {"explorer", "answers", "tagging", "db", "worker", "settings"},
    "commands": {"commands", "explorer", "answers", "tagging", "trainer", "db", "worker", "settings"},
    "cli": {"commands", "explorer", "answers", "tagging", "trainer", "db", "worker", "settings"},
}

# Each library -> who owns it. sqlalchemy.orm.Session and sqlalchemy.exc may be named elsewhere.
OWNERS: dict[str, set[str]] = {
    "torch": {"tagging", "trainer"},
    "transformers": {"tagging", "trainer"},
    "datasets": {"trainer"},
    "evaluate": {"trainer"},
    "sklearn": {"trainer", "db"},
    "optuna": {"trainer"},
    "rapidfuzz": {"db"},
    "matplotlib": {"answers", "commands", "explorer"},
    "jinja2": {"commands", "explorer"},
    "markupsafe": {"commands", "explorer"},
    "itsdangerous": {"explorer"},
    "networkx": {"commands", "explorer"},
    "pyarrow": {"commands"},
    "sqlalchemy": {"db"},
    "psycopg": {"db"},
    "alembic": {"db"},
    "celery": {"worker"},
    "kombu": {"worker"},
    "redis": {"worker"},
    "fsspec": {"worker"},
    "aiohttp": {"worker"},
    "fastapi": {"explorer"},
    "starlette": {"explorer"},
    "pydantic": {"explorer"},
    "uvicorn": {"explorer"},
    "prometheus_client": {"explorer"},
    "click": {"commands", "cli"},
    "rich": {"commands", "cli"},
}
NAMED_ELSEWHERE = {"sqlalchemy.orm.Session", "sqlalchemy.exc"}

STANDARD_LIBRARY_ONLY = (
    "tagging/errors.py",
    "tagging/spans.py",
    "tagging/words.py",
    "trainer/examples.py",
    "trainer/unannotated.py",
    "trainer/corpus_files.py",
    "trainer/corpus_repairs.py",
    "trainer/corrections.py",
    "trainer/folding.py",
    "db/entity_names.py",
    "db/questions/measures.py",
    "worker/tweet_json.py",
)


def _sources() -> list[Path]:
    files = [ROOT / "cli.py", ROOT / "settings.py"]
    for package in PACKAGES:
        files.extend(path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)
    return files


def _owner(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _covers(allowed: set[str], name: str) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_table(path: Path) -> None:
    owner = _owner(path)
    for name in _imports(path):
        top = name.partition(".")[0]
        if top in ALLOWED:
            assert _covers(ALLOWED[owner], name), f"{owner} must not import {name}"
        if top in OWNERS:
            named = _covers(NAMED_ELSEWHERE, name) and owner in ("answers", "explorer", "worker", "commands")
            assert owner in OWNERS[top] or named, f"{owner} must not import {name}"


@pytest.mark.parametrize("name", STANDARD_LIBRARY_ONLY)
def test_pure_modules_need_the_standard_library_only(name: str) -> None:
    foreign = {one.partition(".")[0] for one in _imports(ROOT / name)} - sys.stdlib_module_names
    assert foreign <= {_owner(ROOT / name), "tagging"}


def test_only_settings_reads_the_environment() -> None:
    readers = [
        path for path in _sources() if "environ" in path.read_text(encoding="utf-8") and path.name != "settings.py"
    ]
    offenders = [path for path in readers if "os.environ" in path.read_text(encoding="utf-8")]
    assert offenders == []


def test_no_top_level_module_shadows_a_library() -> None:
    ours = {path.stem for path in ROOT.glob("*.py")} | {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert not ours & {*OWNERS, "tokenizers", "accelerate", "numpy"}


def _loaded_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_is_light() -> None:
    loaded = _loaded_by(
        "import cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit as end:\n    assert not end.code"
    )
    assert "commands.train" in loaded
    assert not loaded & {"torch", "transformers", "datasets", "celery", "sqlalchemy", "numpy", "rich"}


def test_the_worker_parent_never_imports_torch() -> None:
    loaded = _loaded_by("import worker.app, worker.tasks")
    assert "celery" in loaded
    assert not loaded & {"torch", "transformers", "datasets", "evaluate"}


def test_tagging_and_finetune_need_torch_transformers_and_numpy_alone() -> None:
    blocked = [*sorted(OWNERS.keys() - {"torch", "transformers"}), "pandas"]
    block = f"sys.modules.update(dict.fromkeys({blocked!r}))"
    loaded = _loaded_by(f"{block}\nimport tagging.tagger, tagging.checkpoint, trainer.finetune")
    assert {"torch", "transformers", "numpy"} <= loaded
