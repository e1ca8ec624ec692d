"""The fixture ``swift``: a test module that wants a real OpenStack Swift says ``pytest_plugins = ["swift_server"]``.

One Swift serves all tests of a session. What a test imports by name (the class ``Swift``) is in :mod:`swift_node`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from swift_node import Swift, SwiftUnavailable, running_swift


@pytest.fixture(scope="session")
def swift() -> Iterator[Swift]:
    """Start a Swift for the whole session, or skip with the reason why there is none."""
    try:
        with running_swift() as server:
            yield server
    except SwiftUnavailable as reason:
        pytest.skip(str(reason))
