"""The certificate that an address of this very server shows, for connection files that are handed out."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from ..errors import OwnCertificateUnknown

_TIMEOUT_SECONDS = 5.0
_HTTPS_PORT = 443


def shown_at(address: str) -> tuple[bytes, ...]:
    """Fetch the certificate that an https address shows now; nothing for plain HTTP.

    :raises OwnCertificateUnknown: when nothing answers there, or the address is none.
    """
    try:
        parts = urlsplit(address)
        if parts.scheme != "https":
            return ()
        place = (parts.hostname or "", parts.port or _HTTPS_PORT)
        return (ssl.get_server_certificate(place, timeout=_TIMEOUT_SECONDS).encode("ascii"),)
    except (OSError, ValueError) as error:
        raise OwnCertificateUnknown(address=address) from error
