"""Alembic's environment: connection and tables are handed in, and the version table is ours alone.

Alembic loads this file by its path, outside the package, so it imports nothing of ours.
"""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

_handed_in = context.config.attributes


def _ours(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """In a shared database everybody else's tables are none of our business."""
    return kind != "table" or (name or "").startswith("bodyworn_")


def _plain_types(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Migrations name plain column types, so that they do not change with the code."""
    decorated = kind == "type" and isinstance(item, sa.TypeDecorator) and isinstance(item.impl, sa.DateTime)
    return "sa.DateTime(timezone=True)" if decorated else False


context.configure(
    connection=_handed_in["connection"],
    target_metadata=_handed_in["metadata"],
    version_table=_handed_in["version_table"],
    include_object=_ours,
    compare_type=True,
    render_item=_plain_types,
)
with context.begin_transaction():
    context.run_migrations()
