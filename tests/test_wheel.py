"""The wheel: built from a copy of the tree, looked into, installed into a fresh environment, and served from there."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import signal
import site
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from zipfile import ZipFile

import pytest
from bodyworn.const import VERSION
from hosting import token_in

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("plugin", "host", "setup.cfg", "pyproject.toml", "MANIFEST.in", "manifest.json", "README.md", "LICENSE")
PASSWORD = "a-password-for-the-wheel"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build in a copy, so that nothing of an earlier build can slip in and nothing is left in the tree."""
    copy = tmp_path_factory.mktemp("source") / "bodyworn"
    copy.mkdir()
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, copy / name)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(copy / "dist"), str(copy)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_it_holds_two_packages_and_nothing_beside_them(names: set[str]) -> None:
    information = f"bodyworn-{VERSION}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"bodyworn", "bodyworn_host", information}


def test_it_holds_every_module_of_the_tree(names: set[str]) -> None:
    for package, folder in (("bodyworn", "plugin"), ("bodyworn_host", "host")):
        modules = {f"{package}/{path.relative_to(ROOT / folder).as_posix()}" for path in (ROOT / folder).rglob("*.py")}
        assert modules == {name for name in names if name.startswith(f"{package}/") and name.endswith(".py")}


@pytest.mark.parametrize(
    "pattern",
    [
        r"bodyworn/manifest\.json",
        r"bodyworn/py\.typed",
        r"bodyworn/templates/bodyworn/status\.html",
        r"bodyworn/static/bodyworn\.css",
        r"bodyworn/static/live\.js",
        r"bodyworn/locale/de/LC_MESSAGES/bodyworn\.mo",
        r"bodyworn/migrations/script\.py\.mako",
        r"bodyworn/migrations/versions/0001_\w+\.py",
        r"bodyworn_host/templates/host/layout\.html",
        r"bodyworn_host/static/host\.css",
        r"bodyworn_host/locale/de/LC_MESSAGES/harbour\.mo",
        r"bodyworn-[0-9.]+\.dist-info/licenses/LICENSE",
    ],
)
def test_it_holds_what_is_not_python(names: set[str], pattern: str) -> None:
    assert [name for name in names if re.fullmatch(pattern, name)]


def test_it_holds_nothing_of_tests_and_tools(names: set[str]) -> None:
    assert [name for name in names if re.search(r"(^|/)(tests|bench|campaign|docs)/|\.pyc$|\.po$", name)] == []


def test_its_manifest_is_the_file_itself(wheel: Path) -> None:
    """In the tree it is a link; a wheel has no links."""
    with ZipFile(wheel) as archive:
        assert archive.read("bodyworn/manifest.json") == (ROOT / "manifest.json").read_bytes()


def test_its_one_command_is_bodyworn(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        text = archive.read(f"bodyworn-{VERSION}.dist-info/entry_points.txt").decode()
    parser = configparser.ConfigParser()
    parser.read_string(text)
    assert {section: dict(parser[section]) for section in parser.sections()} == {
        "console_scripts": {"bodyworn": "bodyworn.cli:main"}
    }


def test_its_requirements_are_those_of_the_manifest_at_least(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        metadata = archive.read(f"bodyworn-{VERSION}.dist-info/METADATA").decode()
    required = set(re.findall(r"^Requires-Dist: (\S+)$", metadata, re.MULTILINE))
    assert set(json.loads((ROOT / "manifest.json").read_text())["requirements"]) <= required
    assert "License-Expression: Apache-2.0" in metadata


# installed


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install into an environment of its own; its libraries are the ones that run this test, without the network."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", wheel], check=True, capture_output=True, timeout=120)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()))
    return folder / "bin" / "bodyworn"


def _environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


def test_the_command_says_its_version(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed, "--version"], check=True, capture_output=True, text=True, cwd=tmp_path, env=_environment(tmp_path)
    )
    assert done.stdout.strip() == f"bodyworn, version {VERSION}"


def test_every_command_can_be_asked_for_help(installed: Path, tmp_path: Path) -> None:
    from bodyworn.cli import COMMANDS

    for command in COMMANDS:
        subprocess.run(
            [installed, command, "--help"], check=True, capture_output=True, cwd=tmp_path, env=_environment(tmp_path)
        )


def test_it_is_imported_from_where_it_was_installed(installed: Path, tmp_path: Path) -> None:
    say = "import bodyworn, bodyworn_host; print(bodyworn.__file__); print(bodyworn_host.__file__)"
    done = subprocess.run(
        [installed.with_name("python"), "-c", say],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=_environment(tmp_path),
    )
    assert all(line.startswith(str(installed.parent.parent)) for line in done.stdout.splitlines())


def test_it_serves_its_pages(installed: Path, tmp_path: Path) -> None:
    with _served(installed, tmp_path) as address:
        browser = _signed_in(address)
        status = browser.open(f"{address}/bodyworn/", timeout=20)
        assert status.status == 200
        page = status.read().decode()
        assert 'class="bw-' in page
        for path in re.findall(r'(?:href|src)="(/bodyworn/static/[^"]+)"', page):
            assert browser.open(f"{address}{path}", timeout=20).status == 200
        german = urllib.request.Request(f"{address}/bodyworn/", headers={"Accept-Language": "de"})
        assert browser.open(german, timeout=20).read().decode() != page
        log = tmp_path / "data" / "plugins" / "bodyworn" / "controller.log"
        _wait_for(log)
    assert "Traceback" not in log.read_text()


@contextmanager
def _served(command: Path, folder: Path) -> Iterator[str]:
    password = folder / "password"
    password.write_text(PASSWORD)
    process = subprocess.Popen(
        [command, "serve", "--data-dir", folder / "data", "--port", "0", "--admin-password-file", password],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env=_environment(folder),
    )
    watch = threading.Timer(60, process.kill)
    watch.start()
    try:
        yield _address(process)
    finally:
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
        watch.cancel()
    assert process.returncode == 0, rest


def _address(process: subprocess.Popen[str]) -> str:
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        found = re.search(r"is at (http://\S+?)/ ", line)
        if found:
            return found[1]
    raise AssertionError("".join(said))


def _signed_in(address: str) -> urllib.request.OpenerDirector:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    token = token_in(browser.open(f"{address}/sign-in", timeout=20).read().decode())
    form = urllib.parse.urlencode({"name": "root", "password": PASSWORD, "csrf_token": token}).encode()
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": address}
    assert browser.open(urllib.request.Request(f"{address}/sign-in", form, headers), timeout=20).status == 200
    return browser


def _wait_for(path: Path) -> None:
    """The controller is a process of its own, started by path from the folder that pip made."""
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} was not written"
        time.sleep(0.05)
