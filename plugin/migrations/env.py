"""Alembic's environment: the connection is handed in, and the version table is ours alone.

Alembic loads this file by its path, outside the package, so its imports cannot be relative.
"""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from bodyworn.models import Base
from bodyworn.models.base import UtcDateTime


def _ours(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """In a shared database everybody else's tables are none of our business."""
    return kind != "table" or (name or "").startswith("bodyworn_")


def _plain_types(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Migrations name plain column types, so that they do not change with the code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table="bodyworn_alembic_version",
    include_object=_ours,
    compare_type=True,
    render_item=_plain_types,
)
with context.begin_transaction():
    context.run_migrations()
