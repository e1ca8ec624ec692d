"""Alembic migrations, in a version table of their own."""
