"""Loading plugins: what cannot run is named and left out, and nothing a plugin does stops the host."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bodyworn_host import manifest as manifests
from bodyworn_host.loader import Slot, State
from bodyworn_host.manifest import ManifestRefused
from flask import Flask
from hosting import ROOT, host_app, loader_of, write_plugin

GOOD = """
from dataclasses import dataclass, field
from flask import Blueprint
from .part import VALUE

class Later(Exception):
    retry = True

@dataclass
class Plugin:
    host: object
    domain: str = __name__
    version: str = "1.0"
    menu: tuple = ()
    blueprints: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    failures: list = field(default_factory=list)

    def _note(self, name):
        self.calls.append(name)
        if self.failures:
            raise self.failures.pop(0)

    def migrate(self): self._note("migrate")
    def start(self): self._note("start")
    def stop(self):
        self.calls.append("stop")
        return ()
    def unload(self): self.calls.append("unload")
    def health(self): raise ValueError("no idea")

def setup(host):
    plugin = Plugin(host)
    pages = Blueprint(__name__, __name__, url_prefix="/" + __name__)
    pages.add_url_rule("/", "index", lambda: VALUE)
    plugin.blueprints.append(pages)
    return plugin
"""


def small(folder: Path, domain: str, code: str = GOOD, /, **changes: object) -> Path:
    write_plugin(folder, domain, code, **changes)
    (folder / "code" / "part.py").write_text("VALUE = 'served by ' + __name__")
    return folder


def only_slot(app: Flask) -> Slot:
    (slot,) = loader_of(app).slots
    return slot


def load(tmp_path: Path, *plugins: Path) -> Flask:
    return host_app(tmp_path / "data", *plugins, with_accounts=False)


@pytest.fixture(autouse=True)
def _forget_small_plugins():
    yield
    for name in [name for name in sys.modules if name.startswith("small_")]:
        del sys.modules[name]


@pytest.mark.feature("HST-1")
def test_a_plugin_is_mounted_under_its_domain_with_relative_imports(tmp_path):
    app = load(tmp_path, small(tmp_path / "any folder name", "small_good"))
    assert app.test_client().get("/small_good/").text == "served by small_good.part"
    assert only_slot(app).state is State.READY


def test_the_real_plugin_loads_as_bodyworn_and_nothing_is_called_plugin(tmp_path):
    script = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
import importlib.util
from pathlib import Path
spec = importlib.util.spec_from_file_location("bodyworn_host", {str(ROOT / "host/__init__.py")!r},
                                              submodule_search_locations=[{str(ROOT / "host")!r}])
host = importlib.util.module_from_spec(spec); sys.modules["bodyworn_host"] = host; spec.loader.exec_module(host)
from bodyworn_host.app import create_app
from bodyworn_host.settings import Settings
from bodyworn_host import state
assert "bodyworn" not in sys.modules
app = create_app(Settings(Path({str(tmp_path)!r}), (Path({str(ROOT)!r}),)))
print([(slot.domain, slot.state.value, slot.reason) for slot in state.of(app).loader.slots])
assert "bodyworn.mount" in sys.modules and "plugin" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[('bodyworn', 'ready', '')]", done.stderr


@pytest.mark.feature("HST-1")
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('broken at import')", "broken at import"),
        ("import small_nowhere", "No module named 'small_nowhere'"),
        ("def setup(host): raise RuntimeError('broken at setup')", "broken at setup"),
        ("def setup(host): return None", "'NoneType' object has no attribute 'domain'"),
        ("def nothing(): pass", "has no attribute 'setup'"),
        ("def", "invalid syntax"),
        ("raise SystemExit(3)", "3"),
    ],
)
def test_a_broken_plugin_is_recorded_and_the_host_and_the_others_start(tmp_path, caplog, code, said):
    broken = small(tmp_path / "broken", "small_broken", code)
    app = load(tmp_path, broken, small(tmp_path / "good", "small_good"))
    first, second = loader_of(app).slots
    assert first.state is State.FAILED
    assert said in first.reason
    assert any(record.exc_info for record in caplog.records)
    assert not any(name.startswith("small_broken") for name in sys.modules)
    assert second.state is State.READY
    assert app.test_client().get("/small_good/").status_code == 200


def test_half_loaded_modules_are_taken_back(tmp_path):
    code = "from . import part\nraise RuntimeError('after a part was loaded')"
    load(tmp_path, small(tmp_path / "broken", "small_half", code))
    assert not [name for name in sys.modules if name.startswith("small_half")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"contract": 2}, "version 2 of the contract, this host version 1"),
        ({"python": ">=9"}, "asks for Python >=9"),
        ({"host": ">=7"}, "asks for host >=7"),
        ({"requirements": ["surely-not-installed>=1"]}, "surely-not-installed>=1 is not installed"),
        ({"requirements": ["flask>=99"]}, "asks for flask>=99, installed is 3"),
    ],
)
def test_a_plugin_that_cannot_run_here_is_incompatible_and_never_imported(tmp_path, changes, said):
    app = load(tmp_path, small(tmp_path / "plugin", "small_strange", "raise SystemExit", **changes))
    assert only_slot(app).state is State.INCOMPATIBLE
    assert said in only_slot(app).reason


def test_a_requirement_for_another_platform_does_not_count(tmp_path):
    wants = ["surely-not-installed>=1; sys_platform == 'win32'"]
    app = load(tmp_path, small(tmp_path / "plugin", "small_good", requirements=wants))
    assert only_slot(app).state is State.READY


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"domain": "Not A Name"}, '"domain"'),
        ({"domain": None}, '"domain" must be a text'),
        ({"version": "one"}, '"version" cannot be understood'),
        ({"contract": "1"}, '"contract" must be a whole number'),
        ({"contract": True}, '"contract" must be a whole number'),
        ({"package": "../elsewhere"}, '"package" must be the plain name'),
        ({"package": "missing"}, "holds no Python package"),
        ({"requirements": ["==="]}, '"requirements" cannot be understood'),
        ({"requirements": None}, '"requirements" must be a list'),
        ({"permissions": [{"id": "other.view", "title": "Look", "risk": "low"}]}, 'must begin with "small_bad."'),
        ({"permissions": [{"id": "small_bad.view", "title": "Look", "risk": "some"}]}, "must be one of low"),
        ({"open_routes": [1]}, '"open_routes" must be a list of texts'),
    ],
)
def test_a_bad_manifest_is_named_by_its_key(tmp_path, changes, said):
    folder = small(tmp_path / "plugin", "small_bad", **changes)
    with pytest.raises(ManifestRefused) as refusal:
        manifests.read(folder)
    assert said in str(refusal.value)
    assert only_slot(load(tmp_path, folder)).state is State.FAILED


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"domain": "x"' + " " * 300_000 + "}"])
def test_what_is_not_a_manifest_at_all_fails_alone(tmp_path, text):
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "manifest.json").write_text(text)
    assert only_slot(load(tmp_path, tmp_path / "plugin")).state is State.FAILED


def test_a_folder_without_a_manifest_fails_alone(tmp_path):
    assert "cannot be read" in only_slot(load(tmp_path, tmp_path / "nothing")).reason


def test_two_plugins_of_one_domain_name_both_paths(tmp_path):
    one, two = (small(tmp_path / name, "small_twin") for name in ("one", "two"))
    first, second = loader_of(load(tmp_path, one, two)).slots
    assert first.state is State.READY
    assert second.state is State.FAILED
    assert str(one) in second.reason
    assert str(two) in second.reason


def test_a_second_copy_in_one_process_is_refused_with_both_paths(tmp_path):
    import bodyworn

    copy = small(tmp_path / "copy", "bodyworn")
    app = load(tmp_path, copy)
    assert only_slot(app).state is State.FAILED
    assert str(copy) in only_slot(app).reason
    assert str(Path(bodyworn.__file__).parent) in only_slot(app).reason


def test_a_domain_that_is_a_library_is_refused(tmp_path):
    app = load(tmp_path, small(tmp_path / "plugin", "json"))
    assert only_slot(app).state is State.FAILED
    assert json.loads("1") == 1


def test_code_of_another_version_than_its_manifest_is_refused(tmp_path):
    app = load(tmp_path, small(tmp_path / "plugin", "small_old", version="2.0"))
    assert "small_old 2.0, the code small_old 1.0" in only_slot(app).reason


@pytest.mark.parametrize(
    ("listed", "code", "said"),
    [
        (["small_open_api.secret"], GOOD, "small_open_api.secret"),
        (["small_open.index"], GOOD, "small_open.index"),
        (
            [],
            GOOD.replace(
                "    return plugin",
                "    machine = Blueprint(__name__ + '_api', __name__)\n"
                "    machine.add_url_rule('/open', 'door', lambda: 'in')\n"
                "    plugin.blueprints.append(machine)\n"
                "    return plugin",
            ),
            "small_open_api.door",
        ),
    ],
)
def test_open_routes_must_be_those_of_the_machine_interface(tmp_path, listed, code, said):
    app = load(tmp_path, small(tmp_path / "plugin", "small_open", code, open_routes=listed))
    slot = only_slot(app)
    assert slot.state is State.FAILED
    assert said in slot.reason
    assert slot.plugin is not None
    assert slot.plugin.calls == ["unload"]


def test_plugins_are_set_up_behind_those_they_need(tmp_path):
    behind = small(tmp_path / "a", "small_behind", dependencies=["small_first"])
    app = load(tmp_path, behind, small(tmp_path / "b", "small_first"))
    assert [slot.state for slot in loader_of(app).slots] == [State.READY, State.READY]
    names = list(app.blueprints)
    assert names.index("small_first") < names.index("small_behind")


def test_a_plugin_whose_dependency_is_missing_says_so(tmp_path):
    app = load(tmp_path, small(tmp_path / "a", "small_behind", dependencies=["small_absent"]))
    assert "needs the plugin small_absent" in only_slot(app).reason


def test_a_failed_migration_closes_the_plugin_and_nothing_else(tmp_path):
    app = load(tmp_path, small(tmp_path / "a", "small_good"))
    slot, loader = only_slot(app), loader_of(app)
    slot.plugin.failures.append(OSError("the disk is full"))
    loader.migrate()
    loader.start()
    assert slot.state is State.FAILED
    assert slot.reason == "the disk is full"
    assert slot.plugin.calls[-1] == "unload"


def test_what_is_not_ready_is_tried_again_until_it_is(tmp_path):
    app = load(tmp_path, small(tmp_path / "a", "small_good"))
    slot, loader = only_slot(app), loader_of(app)
    later = sys.modules["small_good"].Later
    slot.plugin.failures += [later("no disk yet"), later("no disk yet")]
    loader._step_seconds = 0.01
    loader.start()
    timer = loader._timers["small_good"]
    timer.join(5)
    loader._timers["small_good"].join(5)
    assert slot.state is State.RUNNING
    assert slot.plugin.calls.count("start") == 3
    assert slot.reason == ""


def test_the_pause_before_another_try_grows_and_stopping_ends_it(tmp_path):
    app = load(tmp_path, small(tmp_path / "a", "small_good"))
    slot, loader = only_slot(app), loader_of(app)
    later = sys.modules["small_good"].Later
    slot.plugin.failures += [later("no disk yet")] * 2
    loader.start()
    assert slot.state is State.RETRYING
    first = loader._timers["small_good"]
    loader._retry(slot)
    assert (first.interval, loader._timers["small_good"].interval) == (30.0, 60.0)
    first.cancel()
    loader.stop()
    assert loader._timers == {}


def test_a_plugin_that_cannot_tell_its_health_says_nothing(tmp_path, caplog):
    app = load(tmp_path, small(tmp_path / "a", "small_good"))
    assert loader_of(app).health(only_slot(app)) == ()
    assert "could not tell its health" in caplog.text


def test_stopping_twice_is_harmless(tmp_path):
    app = load(tmp_path, small(tmp_path / "a", "small_good"))
    loader_of(app).start()
    assert loader_of(app).stop() == []
    assert loader_of(app).stop() == []


def test_manifest_and_code_of_this_plugin_say_the_same(tmp_path):
    from bodyworn import const
    from bodyworn.mount import PERMISSIONS

    manifest = manifests.read(ROOT)
    assert (manifest.domain, manifest.version, manifest.contract) == (const.DOMAIN, const.VERSION, const.CONTRACT)
    ours = [(permission.id, permission.title, permission.risk) for permission in PERMISSIONS]
    assert [(entry.id, entry.title, entry.risk) for entry in manifest.permissions] == ours


def test_a_manifest_inside_the_package_describes_the_package(tmp_path):
    assert manifests.read(ROOT / "plugin").package == manifests.read(ROOT).package == ROOT / "plugin"
