"""Telling the host of recordings that are complete. A host that fails to listen loses nothing: they are stored."""

from __future__ import annotations

import logging
from typing import cast

from flask import url_for
from sqlalchemy.orm import Session

from ..contract import ArrivedRecording, Host, RecordingHost
from ..models import ReceivedContainer
from ..services.received_recordings import recording_row

_LOG = logging.getLogger(__name__)


def arrived(session: Session, container: ReceivedContainer) -> ArrivedRecording | None:
    """Describe a recording for the host; None until it is complete."""
    if container.completed_at is None:
        return None
    row = recording_row(session, container)
    return ArrivedRecording(
        id=row.id,
        title=f"{row.user} ({row.camera})",
        camera=row.camera,
        started_at=row.started_at,
        stopped_at=row.stopped_at,
        address=url_for("bodyworn.received_recording", recording_id=row.id),
    )


def tell(host: Host, recording: ArrivedRecording) -> None:
    """Tell a host that lists recordings; called after the commit, never within a transaction."""
    if not host.supports("recordings"):
        return
    try:
        cast(RecordingHost, host).recording_arrived(recording)
    except Exception:
        _LOG.exception("The host did not take note of recording %s", recording.id)
