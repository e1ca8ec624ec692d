"""Camera users from a file: what it would change is shown first, mistakes are told with their lines; all, or none."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace

import pytest
import seed
from bodyworn.errors import BodywornError, UserImportOutdated
from bodyworn.models import Belonging, Camera, CameraUser, Profile
from bodyworn.services import events, user_file, user_import, user_importing, users
from bodyworn.services.user_import import Kind, Mode
from hosting import SAME_ORIGIN, host_app, signed_in, token_of
from rig_parts import ACTOR, event_actions
from sqlalchemy import select, update

HEADER = "name,user_id,profile\n"


@pytest.fixture
def depot(tmp_path):
    """Three users: Ada has the number 1 and a camera, Bob has none of both, Eve was removed and keeps the number 9."""
    with seed.open_database(tmp_path) as database:
        seed.seed(database)
        with database.write() as session:
            session.execute(update(Camera).values(camera_user_id=None))
            session.execute(update(CameraUser).values(active=False))
            night = Profile(name="Night shift", settings={})
            session.add(night)
            ada, bob, eve = [
                users.create_user(session, name=name, user_id=number, actor=ACTOR)
                for name, number in (("Ada", "1"), ("Bob", None), ("Eve", "9"))
            ]
            camera = session.scalars(select(Camera).where(Camera.belonging == Belonging.ADDED)).first()
            camera.camera_user_id, camera.problem_id = ada.id, None
            users.remove_user(session, eve.id, actor=ACTOR)
        yield SimpleNamespace(
            database=database, ada=ada.id, bob=bob.id, eve=eve.id, night=night.id, camera=camera.id, name=camera.name
        )


def planned(depot, text, mode=Mode.ADD):
    with depot.database.read() as session:
        return user_import.plan(session, user_file.read(text.encode()), mode)


def imported(depot, text, mode=Mode.ADD):
    file = user_file.read(text.encode())
    shown = planned(depot, text, mode)
    with depot.database.write() as session:
        return user_importing.import_users(
            session, file, mode, fingerprint=shown.fingerprint, file_name="people.csv", actor=ACTOR
        )


def everybody(depot):
    with depot.database.read() as session:
        found = session.scalars(select(CameraUser).where(CameraUser.active).order_by(CameraUser.name))
        return [(user.name, user.user_id) for user in found]


def said_of(text):
    """Tell what is wrong with a file as a whole, or with its rows."""
    try:
        return [(one.line, one.what.one) for one in user_file.read(text).mistakes]
    except BodywornError as error:
        return error.id


@pytest.mark.feature("USR-5")
def test_a_file_adds_changes_and_brings_back(depot):
    plan = imported(depot, HEADER + "Ada Lovelace,1,night SHIFT\nBob,,\nEve,9,\nZoë,7,Night shift\n")
    assert {kind: plan.count(kind) for kind in Kind} == {"add": 1, "change": 1, "bring-back": 1, "remove": 0, "same": 1}
    assert everybody(depot) == [("Ada Lovelace", "1"), ("Bob", None), ("Eve", "9"), ("Zoë", "7")]
    assert event_actions(depot.database, depot.ada)[-2:] == ["user.renamed", "user.profile-given"]
    assert event_actions(depot.database, depot.eve)[-1] == "user.brought-back"
    assert event_actions(depot.database)[-1] == "users.imported"
    with depot.database.read() as session:
        camera = session.get_one(Camera, depot.camera)
        assert camera.wanted_settings > (camera.applied_settings or 0), "the camera learns the new name"
        assert list(events.check(session)) == []


@pytest.mark.feature("USR-5")
def test_synchronising_removes_who_is_not_in_the_file_and_says_so_before(depot):
    (step,) = planned(depot, HEADER + "Bob,,\n", Mode.SYNCHRONISE).changes
    assert (step.kind, step.name, step.cameras) == (Kind.REMOVE, "Ada", (depot.name,))
    imported(depot, HEADER + "Bob,,\n", Mode.SYNCHRONISE)
    assert everybody(depot) == [("Bob", None)]
    with depot.database.read() as session:
        assert session.get_one(Camera, depot.camera).camera_user_id is None
    assert event_actions(depot.database, depot.camera)[-1] == "camera.assigned"


@pytest.mark.feature("USR-5")
def test_an_export_comes_back_without_any_change_whatever_people_are_called(depot):
    names = ['O"Brien; the 2nd', "=SUM(A1)", "'=x", "-1", "李小龍", "ألف", "👮🏽‍♀️", "a,b", "Zoë"]
    with depot.database.write() as session:
        for name in names:
            users.create_user(session, name=name, actor=ACTOR)
    with depot.database.read() as session:
        text = b"".join(user_file.export(session)).decode()
    assert {step.kind for step in planned(depot, text, Mode.SYNCHRONISE).steps} == {Kind.SAME}
    assert not re.search(r"(^|,)[=+@-]", text, re.MULTILINE), "no cell is a formula to a spreadsheet"


def test_two_people_may_exchange_their_numbers(depot):
    imported(depot, f"id,name,user_id\n{depot.ada},Ada,2\n{depot.bob},Bob,1\n")
    assert everybody(depot) == [("Ada", "2"), ("Bob", "1")]


def test_an_empty_number_is_taken_away_and_a_missing_column_takes_nothing(depot):
    imported(depot, f"id,name\n{depot.ada},Ada\n")
    assert everybody(depot)[0] == ("Ada", "1")
    imported(depot, f"id,name,user_id\n{depot.ada},Ada,\n")
    assert everybody(depot)[0] == ("Ada", None)


def test_a_namesake_with_another_number_is_somebody_else(depot):
    (step,) = planned(depot, HEADER + "Bob,4711,\n").steps
    assert (step.kind, step.namesake) == (Kind.ADD, True)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_files_of_every_spreadsheet_are_read(delimiter, encoding, ending):
    rows = [f" Name {delimiter}User ID", f"Zoë{delimiter}007", delimiter, f'"a,b;c"{delimiter}8{delimiter}', ""]
    file = user_file.read(ending.join(rows).encode(encoding))
    assert [(row.name, row.user_id) for row in file.rows] == [("Zoë", "007"), ("a,b;c", "8")]
    assert file.mistakes == []


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "user-file-empty"),
        (b"\n\n", "user-file-empty"),
        (HEADER.encode(), "user-file-empty"),
        ("name\nZoë".encode("latin-1"), "user-file-encoding"),
        ("name\nZoë".encode("utf-16-le"), "user-file-encoding"),
        ("\ufeffname\nZoë".encode("utf-16-le")[:-1], "user-file-encoding"),
        ("name\nZoë".encode("utf-7") + b"\xff", "user-file-encoding"),
        (b"PK\x03\x04\x00\x00sheet.xml", "user-file-encoding"),
        (b"\x89PNG\r\n\x1a\n\x00", "user-file-encoding"),
        (b"name\nA\x00da", "user-file-encoding"),
        (b"Ada,1,Day\nBob,2,Day\n", "user-file-columns"),
        (b"user_id,profile\n1,Day\n", "user-file-columns"),
        (b"name,name\nAda,Bob\n", "user-file-columns"),
        (b"name,e-mail\nAda,a@b\n", "user-file-columns"),
        (b"name,,profile\nAda,,Day\n", "user-file-columns"),
        (b"name|user_id\nAda|1\n", "user-file-columns"),
        (b"<html><body>\n<p>\n", "user-file-columns"),
        (b'{"name": "Ada"}\n{}\n', "user-file-columns"),
        (b'name\n"Ada\nBob\n', "user-file-quotes"),
        (b'name\n"Ada" Lovelace\n', "user-file-quotes"),
        (b"name\n" + b"x" * 200_000 + b"\n", "user-file-quotes"),
        (b"name\n" + b"x\n" * 20_001, "user-file-too-large"),
        (b"name\n" + b" " * 4_200_000, "user-file-too-large"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(data, error):
    assert said_of(data) == error


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("", None),
        (",5,", "A user's name"),
        (" ,5,", "A user's name"),
        ("x" * 101 + ",5,", "A user's name"),
        ("a\u202eb,5,", "A user's name"),
        ("a\u2066b,5,", "A user's name"),
        ("a\u2028b,5,", "A user's name"),
        ("a\x07b,5,", "A user's name"),
        ("a\u0085b,5,", "A user's name"),
        ("\u200b\u200d,5,", "A user's name"),
        ("\u0301,5,", "A user's name"),
        ('"two\nlines",5,', "A user's name"),
        ("Ada," + "5" * 65 + ",", "A user ID"),
        ("Ada,5\x1f,", "A user ID"),
        ("Ada,\u202e5,", "A user ID"),
        ("Ada,\u200b,", "A user ID"),
        ("Ada,4.71E+12,", "A spreadsheet has shortened"),
        ('Ada,"4,71E+12",', "A spreadsheet has shortened"),
        ("Ada,5E+11,", "A spreadsheet has shortened"),
        ("ZoÃ«,5,", "This was in UTF-8"),
        ("MÃ¼ller,5,", "This was in UTF-8"),
        ("Ada", "This row has {n} cells"),
        ("Ada,5", "This row has {n} cells"),
        ("Ada,5,Day,more", "This row has {n} cells"),
        ("Ada;5;", "This row has {n} cells"),
        ("Ã‰mile,5,", "This was in UTF-8"),
    ],
)
def test_each_mistake_in_a_row_is_told_with_its_line(row, said):
    told = said_of((HEADER + "Bob,4,\n" + row + "\n").encode())
    if said is None:
        assert told == []
    else:
        assert told[0][1].startswith(said), told
        assert told[0][0] >= 3


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ("x,Ada,1,", 2, "Nobody here has this id"),
        (",Ada,5,Weekend", 2, "There is no camera profile"),
        (",Ann,5,\n,Ben,5,", 3, "Line {line} has this user ID, too."),
        (",Ada,1,\n,Ada,1,", 3, "Line {line} is about the same user."),
        (",Ann,,\n,Ann,,", 3, "Another row has this name"),
        (",Bob,,\n,Bob,,", 3, "Line {line} is about the same user."),
        ("{ada},Ada,1,\n,Ada B,1,", 3, "Line {line} is about the same user."),
        ("{bob},Bob,1,", 2, "{name} has this user ID, and is not in the file."),
        ("{bob},Bob,9,", 2, "{name} has this user ID, and is not in the file."),
        ("{bob},Bob,1,\n{ada},Ada,1,", 3, "Line {line} has this user ID, too."),
        (",Cy,,", 2, "Several users have this name"),
    ],
)
@pytest.mark.parametrize("mode", list(Mode))
def test_each_conflict_is_told_and_nothing_is_written(depot, rows, line, said, mode):
    with depot.database.write() as session:
        for _ in range(2):
            users.create_user(session, name="Cy", actor=ACTOR)
    before = everybody(depot)
    text = "id,name,user_id,profile\n" + rows.replace("{ada}", depot.ada).replace("{bob}", depot.bob) + "\n"
    plan = planned(depot, text, mode)
    assert [(one.line, one.what.one[: len(said)]) for one in plan.mistakes][-1] == (line, said)
    assert plan.steps == ()
    with pytest.raises(UserImportOutdated), depot.database.write() as session:
        user_importing.import_users(
            session, user_file.read(text.encode()), mode, fingerprint=plan.fingerprint, file_name="", actor=ACTOR
        )
    assert everybody(depot) == before


def test_what_was_changed_meanwhile_has_to_be_looked_at_again(depot):
    text = HEADER + "Zoë,7,\n"
    shown = planned(depot, text)
    with depot.database.write() as session:
        users.create_user(session, name="Another", user_id="7", actor=ACTOR)
    with pytest.raises(UserImportOutdated), depot.database.write() as session:
        user_importing.import_users(
            session,
            user_file.read(text.encode()),
            Mode.ADD,
            fingerprint=shown.fingerprint,
            file_name="people.csv",
            actor=ACTOR,
        )
    assert ("Zoë", "7") not in everybody(depot)


@pytest.mark.feature("USR-5")
def test_ten_thousand_users_take_less_than_ten_seconds(depot):
    text = HEADER + "".join(f"Person {number},P{number},Night shift\n" for number in range(10_000))
    began = time.process_time()
    assert imported(depot, text).count(Kind.ADD) == 10_000
    assert time.process_time() - began < 10
    assert len(everybody(depot)) == 10_002


# --- pages ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    app = host_app(tmp_path)
    database = app.extensions["bodyworn"].database
    seed.seed(database)
    browsers = {role: signed_in(app, role) for role in ("operator", "administrator")}
    yield SimpleNamespace(database=database, **browsers)
    database.close()


def upload(browser, text, mode="add"):
    form = {"csrf_token": token_of(browser), "mode": mode, 'file"; filename="people.csv': text}
    body = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{one}\r\n' for key, one in form.items()
    )
    headers = {**SAME_ORIGIN, "Content-Type": "multipart/form-data; boundary=edge"}
    return browser.post("/bodyworn/users/all/import", data=f"{body}--edge--\r\n".encode(), headers=headers)


def confirm(browser, page, **changes):
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)) | changes
    return browser.post("/bodyworn/users/all/import/apply", data=form, headers=SAME_ORIGIN)


def names(site):
    with site.database.read() as session:
        return session.scalars(select(CameraUser.name).where(CameraUser.active)).all()


@pytest.mark.feature("USR-5")
def test_a_file_is_shown_and_then_imported_once(site):
    page = upload(site.operator, HEADER + "Zoë & Co <b>,7,\n")
    assert page.status_code == 200
    assert "Zoë &amp; Co &lt;b&gt;" in page.text
    assert "Zoë & Co <b>" not in names(site), "looking changes nothing"
    assert confirm(site.operator, page).headers["Location"] == "/bodyworn/users?notice=users-imported"
    assert "Zoë & Co <b>" in names(site)
    again = confirm(site.operator, page)
    assert (again.status_code, "not kept any more" in again.text) == (422, True)


def test_a_file_belongs_to_who_chose_it_and_to_what_was_shown(site):
    page = upload(site.operator, HEADER + "Zoë,7,\n")
    token = token_of(site.administrator)
    assert confirm(site.administrator, page, csrf_token=token).status_code == 422
    assert confirm(site.operator, page, mode="synchronise").status_code == 409
    assert confirm(site.operator, page, ticket="../../keys/machine.key").status_code == 422
    assert "Zoë" not in names(site)


@pytest.mark.parametrize(
    ("text", "status_code", "said"),
    [
        ("", 422, "The file names no users"),
        ("Ada,1\nBob,2\n", 422, "The first row must name the columns"),
        (HEADER + "Zoë,4.7E+10,\n", 422, "1 place in the file has to be corrected"),
        ("name\n" + " " * 4_300_000, 422, "more than 4 MiB"),
    ],
)
def test_a_page_says_what_is_wrong_with_a_file(site, text, status_code, said):
    page = upload(site.operator, text)
    assert (page.status_code, said in page.text) == (status_code, True)


def test_template_and_export_are_files_that_come_back(site):
    template = site.operator.get("/bodyworn/users/all/template.csv")
    assert template.data == "\ufeffname,user_id,profile\r\n".encode()
    export = site.operator.get("/bodyworn/users/all/users.csv")
    assert export.headers["Content-Disposition"].startswith('attachment; filename="bodyworn-users-')
    assert event_actions(site.database)[-1] == "users.exported"
    page = upload(site.operator, export.data.decode("utf-8-sig"), "synchronise")
    assert "Nothing to change" in page.text
