"""Sending stored content, whole or in part, in constant memory. Who may have it is decided by pages and receiver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Response, request

from .services.playback import Content, answer
from .store import Buffer


def send(content: Content, headers: Mapping[str, str]) -> Response:
    """Answer a GET or HEAD with content, honouring ``Range``; the content is closed when it has been sent."""
    try:
        what = answer(content, request.headers.get("Range"))
    except BaseException:
        content.close()
        raise
    response = Response(_Blocks(what.blocks, content), status=what.status, direct_passthrough=True)
    response.headers.update(headers)
    response.headers.update(what.headers)
    return response


class _Blocks:
    """The body as a server takes it: blocks of bytes, and a ``close`` that is called whatever happens."""

    def __init__(self, blocks: Iterator[Buffer], content: Content) -> None:
        self._blocks = blocks
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        return map(bytes, self._blocks)

    def close(self) -> None:
        self._content.close()
