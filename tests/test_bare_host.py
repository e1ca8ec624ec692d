"""The plugin in an app that was there before it: own users, own tables, own migrations, and the adapter of the docs."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import seed
from alembic import command
from alembic.config import Config
from flask import Flask, redirect, request, url_for
from flask_login import LoginManager, UserMixin, login_user
from flask_sqlalchemy import SQLAlchemy
from hosting import ROOT, SAME_ORIGIN
from sqlalchemy import inspect, text

ALEMBIC_ENV = """
from alembic import context
connection = context.config.attributes["connection"]
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
"""
FIRST_REVISION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "0001", None
def upgrade():
    op.create_table("person", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String))
def downgrade():
    op.drop_table("person")
"""


def adapter() -> SimpleNamespace:
    """Run the example of the contract's page, as it stands there."""
    page = (ROOT / "docs" / "host-contract.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "host-contract.md", "exec"), names)
    return SimpleNamespace(**names)


def migrate_host(folder: Path, engine: object) -> None:
    """Run the app's own migrations, in its own version table."""
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ALEMBIC_ENV)
    (folder / "versions" / "0001_person.py").write_text(FIRST_REVISION)
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@pytest.fixture
def bare(tmp_path):
    """An app as somebody else might have written it, with the plugin added."""
    app = Flask("bare", instance_path=str(tmp_path), template_folder=str(tmp_path / "templates"))
    app.config.update(
        TESTING=True,
        SECRET_KEY="only for this test",
        PUBLIC_NAME="vms.example",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/app.db",
        SQLALCHEMY_BINDS={"bodyworn": f"sqlite:///{tmp_path}/bodyworn.db"},
    )
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "base.html").write_text(
        "<title>{% block title %}{% endblock %}</title>{% block head %}{% endblock %}<b>Bare app</b>"
        "{% block content %}{% endblock %}{% block scripts %}{% endblock %}"
    )
    db = SQLAlchemy()

    class Person(UserMixin, db.Model):
        id = db.Column(db.Integer, primary_key=True)
        name = db.Column(db.String)

        @property
        def permissions(self) -> set[str]:
            return {"bodyworn.view"} if self.name == "looks" else {"bodyworn.view", "bodyworn.devices"}

    login = LoginManager(app)
    login.user_loader(lambda identifier: db.session.get(Person, int(identifier)))
    db.init_app(app)
    with app.app_context():
        migrate_host(tmp_path / "alembic", db.engine)
        db.session.add_all([Person(id=1, name="looks"), Person(id=2, name="manages")])
        db.session.commit()

    @app.route("/login", methods=["GET", "POST"])
    def login_page():
        if request.method == "POST":
            login_user(db.session.get(Person, int(request.form["id"])))
            return redirect("/own")
        return "who are you?"

    app.add_url_rule("/login", "login", login_page)
    app.add_url_rule("/own", "own", lambda: "a page of the app")
    plugin = adapter().add_body_worn(app, db)
    plugin.migrate()
    yield SimpleNamespace(app=app, db=db, plugin=plugin, folder=tmp_path)
    assert plugin.stop() == ()
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def browser_of(bare: SimpleNamespace, person: int):
    browser = bare.app.test_client()
    browser.post("/login", data={"id": person})
    return browser


@pytest.mark.feature("HST-2")
def test_pages_are_drawn_in_the_apps_layout(bare):
    with bare.app.extensions["bodyworn"].database.write() as session:
        seed.found_system(session, datetime.now(UTC))
    page = browser_of(bare, 1).get("/bodyworn/")
    assert page.status_code == 200
    assert "<b>Bare app</b>" in page.text


def test_nobody_is_sent_to_the_apps_own_login(bare):
    answer = bare.app.test_client().get("/bodyworn/", headers={"Accept": "text/html"})
    assert answer.headers["Location"] == "/login?next=/bodyworn/"
    assert bare.app.test_client().get("/bodyworn/").status_code == 401


def test_the_apps_permissions_decide(bare):
    form = {"headers": SAME_ORIGIN}
    assert browser_of(bare, 1).post("/bodyworn/devices/add", **form).status_code == 403
    assert browser_of(bare, 2).post("/bodyworn/devices/add", **form).status_code != 403
    assert browser_of(bare, 2).get("/bodyworn/recordings").status_code == 403


def test_forms_are_guarded_although_the_app_has_no_tokens(bare):
    browser = browser_of(bare, 2)
    assert browser.post("/bodyworn/devices/add", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.post("/bodyworn/devices/add").status_code == 403


def test_both_migrations_live_beside_each_other(bare):
    with bare.app.app_context():
        own, ours = inspect(bare.db.engine), inspect(bare.db.engines["bodyworn"])
        assert set(own.get_table_names()) == {"alembic_version", "person"}
        assert "bodyworn_alembic_version" in ours.get_table_names()
        assert "alembic_version" not in ours.get_table_names()


def test_both_migrations_may_even_share_a_database(bare, tmp_path):
    from bodyworn.migrations.run import check_head, upgrade

    with bare.app.app_context():
        upgrade(bare.db.engine)
        check_head(bare.db.engine)
        with bare.db.engine.connect() as connection:
            assert connection.execute(text("select version_num from alembic_version")).scalar() == "0001"


def test_the_apps_own_pages_and_metadata_are_left_alone(bare):
    answer = bare.app.test_client().get("/own")
    assert answer.text == "a page of the app"
    assert "Content-Security-Policy" not in answer.headers
    assert not [name for name in bare.db.metadata.tables if name.startswith("bodyworn")]
    assert bare.app.test_client().post("/login", data={"id": 1}).status_code == 302


def test_responses_get_a_strict_policy_where_the_app_has_none(bare):
    policy = browser_of(bare, 1).get("/bodyworn/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_addresses_for_other_machines_need_no_request(bare):
    host = bare.app.extensions["bodyworn"].host
    assert host.external_url("bodyworn_receiver.sign_in").startswith("https://vms.example/bodyworn/receiver/")


@pytest.mark.feature("HST-1")
def test_unloaded_every_route_answers_503_and_the_app_goes_on(bare):
    browser = browser_of(bare, 1)
    bare.plugin.unload()
    for path in ("/bodyworn/", "/bodyworn/static/x.css", "/bodyworn/receiver/auth/v1.0"):
        assert browser.get(path).status_code == 503
    assert browser.get("/own").status_code == 200


def test_a_host_without_a_member_is_incompatible_by_name(bare):
    import bodyworn
    from bodyworn.errors import Incompatible

    lame = SimpleNamespace(layout="x", engine=None, data_dir=bare.folder)
    with pytest.raises(Incompatible, match=r"does not offer user, can, challenge"):
        bodyworn.setup(lame)


def test_a_host_without_a_data_folder_is_told(bare):
    import bodyworn
    from bodyworn.errors import SetupFailed

    host = bare.app.extensions["bodyworn"].host
    host.data_dir = bare.folder / "gone"
    with pytest.raises(SetupFailed, match="gone is missing"):
        bodyworn.setup(host)


def test_the_plugin_never_imports_a_host():
    ours = [path for path in (ROOT / "plugin").rglob("*.py") if path.parent.name != "cli"]
    assert not [path for path in ours if re.search(r"^\s*(from|import) bodyworn_host", path.read_text(), re.MULTILINE)]
    assert "plugin" not in sys.modules


def test_the_login_of_the_example_exists(bare):
    with bare.app.test_request_context():
        assert url_for("login") == "/login"
