"""The house rules that a machine can hold: size and docstrings of modules, errors, secrets of style, and the documents.

What ruff and mypy hold already is not repeated here.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from bodyworn import errors
from bodyworn.errors import BodywornError, every_error

ROOT = Path(__file__).resolve().parent.parent
CODE = ("plugin", "host")
TREES = (*CODE, "tests", "bench", "campaign")
TEMPLATES = sorted(path for folder in CODE for path in (ROOT / folder / "templates").rglob("*.html"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MOST_LINES = 400
#: These are long because they are lists: one error after another, one table after another.
LISTS = {"plugin/migrations/versions/0001_base.py"}
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
#: How many rows of docs/features.md begin with each of these.
FEATURES = {"SET": 12, "CAM": 15, "USR": 9, "REC": 9, "DST": 7, "CTL": 10, "CRT": 4, "SYS": 11, "SIM": 5, "HST": 5}
STATES = ("works", "partly", "not yet")


def _modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _place(path: Path, line: int = 1) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def _nodes(*folders: str) -> Iterator[tuple[Path, ast.AST]]:
    for path in _modules(*folders):
        for node in ast.walk(_tree(path)):
            yield path, node


# modules


def test_no_module_is_too_long_to_read() -> None:
    long = {str(path.relative_to(ROOT)) for path in _modules(*CODE) if len(path.read_text().splitlines()) > MOST_LINES}
    assert long == LISTS


def test_every_module_says_what_lives_in_it() -> None:
    assert [_place(path) for path in _modules(*TREES) if not ast.get_docstring(_tree(path))] == []


def test_annotations_are_never_evaluated() -> None:
    missing = [
        _place(path)
        for path in _modules(*TREES)
        if len(_tree(path).body) > 1 and "from __future__ import annotations" not in path.read_text()
    ]
    assert missing == []


def test_every_public_name_says_what_it_does() -> None:
    """Errors say it in their sentence, migrations in their title."""
    silent = [
        _place(path, node.lineno)
        for path in _modules(*CODE)
        for node in _tree(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and path.parent.name != "errors"
        and path.parent.name != "versions"
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


# what nobody may write


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    found = []
    for path in _modules(*TREES):
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
            if token.type == tokenize.COMMENT and words.search(token.string):
                found.append(_place(path, token.start[0]))
    assert found == []


def test_no_part_is_replaced_by_a_mock() -> None:
    found = [
        _place(path, node.lineno)
        for path, node in _nodes(*TREES)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unittest"))
        or (isinstance(node, ast.Import) and any(alias.name.startswith("unittest") for alias in node.names))
    ]
    assert found == []


def test_no_error_is_swallowed_whole() -> None:
    """No bare ``except``, and nothing broad that passes in silence."""
    found = [
        _place(path, node.lineno)
        for path, node in _nodes(*TREES)
        if isinstance(node, ast.ExceptHandler) and (node.type is None or (_is_broad(node.type) and _is_silent(node)))
    ]
    assert found == []


def _is_broad(kind: ast.expr) -> bool:
    return isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException")


def _is_silent(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(statement, ast.Pass | ast.Continue) for statement in handler.body)


def test_no_value_becomes_a_program() -> None:
    found = [
        _place(path, node.lineno)
        for path, node in _nodes(*CODE)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec", "compile"))
            or any(word.arg == "shell" for word in node.keywords)
        )
    ]
    assert found == []


def test_nothing_is_read_that_could_bring_code() -> None:
    dangerous = {"pickle", "marshal", "shelve", "yaml", "tarfile", "zipfile"}
    found = [
        _place(path, node.lineno)
        for path, node in _nodes(*CODE)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and dangerous & {(name or "").partition(".")[0] for name in _names(node)}
    ]
    assert found == []


def _names(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]


def test_only_commands_print() -> None:
    found = [
        _place(path, node.lineno)
        for path, node in _nodes(*CODE)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (r"\sstyle\s*=", "a strict policy drops inline styles"),
        (r"\son[a-z]+\s*=\s*[\"']", "a strict policy drops inline handlers"),
        (r"<script(?![^>]*\bsrc=)", "a strict policy drops inline scripts"),
        (r"\|\s*safe\b|autoescape\s+false", "what is shown is escaped"),
        (r"(href|src|action)=\"/", "addresses come from url_for, wherever the plugin is mounted"),
        (r"https?://(?!www\.w3\.org/)", "pages load nothing from elsewhere"),
    ],
)
def test_templates_keep_to_the_policy(wrong: str, why: str) -> None:
    assert TEMPLATES
    assert [_place(path) for path in TEMPLATES if re.search(wrong, path.read_text(), re.IGNORECASE)] == [], why


# errors

ERRORS = [error for error in every_error() if error.__module__ == errors.__name__]


def test_every_error_has_an_id_of_its_own() -> None:
    counted = Counter(error.id for error in ERRORS)
    assert [name for name, count in counted.items() if count > 1 or not KEBAB.fullmatch(name)] == []
    assert [error.__name__ for error in ERRORS if "id" not in vars(error)] == []


def test_every_error_says_what_happened_and_what_to_do() -> None:
    assert [error.__name__ for error in ERRORS if not _is_sentence(error.sentence)] == []
    assert [error.__name__ for error in ERRORS if not _is_sentence(error.mend)] == []


def _is_sentence(text: str) -> bool:
    return bool(text) and (text[0].isupper() or text[0] == "{") and text.endswith(".") and "  " not in text


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_error_is_raised_with_what_its_sentence_names() -> None:
    """Or its mend. A missing value would hide the problem behind another one in the very moment that it is told."""
    by_name = {error.__name__: error for error in ERRORS}
    wrong = []
    for path, node in _nodes(*CODE):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or path.parent.name == "errors":
            continue
        error = by_name.get(node.func.id)
        if error is None or any(word.arg is None for word in node.keywords):
            continue
        if error.__init__ is BodywornError.__init__ and not _fields(error.sentence + error.mend) <= _given(node):
            wrong.append(_place(path, node.lineno))
    assert wrong == []


def _given(call: ast.Call) -> set[str]:
    return {word.arg for word in call.keywords if word.arg}


# documents


def _feature_rows() -> dict[str, list[str]]:
    rows = [line.strip().strip("|").split("|") for line in (ROOT / "docs/features.md").read_text().splitlines()]
    cells = [[cell.strip() for cell in row] for row in rows]
    return {row[0]: row[1:] for row in cells if re.fullmatch(r"[A-Z]{3}-\d+", row[0])}


def _marked_features() -> dict[str, set[str]]:
    """Find every feature that a test says it proves, and the files of these tests."""
    found: dict[str, set[str]] = {}
    for path in _modules("tests"):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "feature":
                for argument in node.args:
                    assert isinstance(argument, ast.Constant), _place(path, node.lineno)
                    found.setdefault(str(argument.value), set()).add(path.name)
    return found


def test_every_feature_has_its_row() -> None:
    expected = [f"{group}-{number}" for group, count in FEATURES.items() for number in range(1, count + 1)]
    assert list(_feature_rows()) == expected


def test_every_row_says_how_far_it_is() -> None:
    wrong = [name for name, (_, state, _) in _feature_rows().items() if not state.startswith(STATES)]
    assert wrong == []
    unsaid = [name for name, (_, state, _) in _feature_rows().items() if re.fullmatch(r"partly[:. ]*", state)]
    assert unsaid == [], "partly: what is missing?"


def test_what_tests_prove_is_in_the_table() -> None:
    rows = _feature_rows()
    assert _marked_features().keys() <= rows.keys()
    assert [name for name in _marked_features() if rows[name][1].startswith("not yet")] == []


def test_what_the_table_promises_is_proved() -> None:
    marked = _marked_features()
    for name, (_, state, proof) in _feature_rows().items():
        if state.startswith("not yet"):
            continue
        named = set(re.findall(r"`(?:tests/)?(test_\w+\.py)`", proof))
        assert named, f"{name} names no test"
        assert named & marked.get(name, set()), f"no test of {name} carries its marker"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_of_documents_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", document.read_text())
    inside = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in inside if target and not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_documents_name_exist(document: Path) -> None:
    named = re.findall(r"`((?:plugin|host|tests|bench|campaign|docs)/[\w./-]+)`", document.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []
