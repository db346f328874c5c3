"""docs/tutorial.md: its Python runs from top to bottom and gives what the page says."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
PAGE = (DOCS / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def run(block: str, names: dict[str, Any]) -> Any:
    """Run a block; return what its last line is worth, if that is an expression."""
    tree = ast.parse(block)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "docs/tutorial.md", "exec"), names)
    return eval(compile(ast.Expression(last.value), "docs/tutorial.md", "eval"), names) if last else None


def test_every_block_runs_and_gives_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    given = {block: run(block, names) for block in BLOCKS}

    def last(words: str) -> Any:
        [block] = (block for block in BLOCKS if words in block)
        return given[block]

    assert f"# {last('corpus.sizes')}\n" in PAGE
    assert f"# {last('label_list')}\n" in PAGE
    assert ("leeds", "LOC") in last('corpus.splits["train"][0]')
    assert names["aligned"][:4] == [("[CLS]", None), ("moved", "O"), ("from", "O"), ("leeds", "B-LOC")]
    assert last("import freeze") == ["classifier.weight", "classifier.bias"]
    before, frozen, trained = names["before"], names["frozen"].scores, names["trained"].scores
    assert frozen["token_f1_weighted"] > 0.5
    assert max(before["overall_f1"], frozen["overall_f1"]) < 0.2 < trained["overall_f1"]
    assert last("Tagger.load") is True
    assert f"# {names['food'].entity_labels}\n" in PAGE
    assert last("taught") == [("Biryani", "DISH"), ("Harbour", "SHOP")]


def test_the_page_links_to_pages_that_are_there() -> None:
    linked = re.findall(r"\]\(([\w/.-]+\.md)\)", PAGE)
    assert linked
    assert [page for page in linked if not (DOCS / page).exists()] == []
