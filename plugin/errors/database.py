"""The database and its version."""

from __future__ import annotations

from .base import BodywornError


class DatabaseUnsafe(BodywornError):
    """Raised at connection when a setting that durability rests on did not take."""

    id = "database-unsafe"
    sentence = "The database does not keep {setting} at {wanted}; it is {found}."
    mend = "Put the database on a local disk. Network filesystems cannot keep what evidence needs."


class DatabaseOutdated(BodywornError):
    """Raised when the tables are of another version than the code."""

    id = "database-outdated"
    sentence = "The database is at version {found}, and this version of the plugin needs {wanted}."
    mend = "Run: bodyworn db upgrade."
