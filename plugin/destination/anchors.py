"""Trust in a destination: the certificates of its connection file, and a TLS context that knows nothing else."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_PEM_BEGIN = b"-----BEGIN"


def read_certificates(data: bytes) -> bytes:
    """Read one or more certificates in PEM or DER and return them as PEM, without anything else that stood beside them.

    Raises ValueError when there is none, or one that neither this library nor OpenSSL can use.
    """
    if _PEM_BEGIN in data:
        certificates = x509.load_pem_x509_certificates(data)
    else:
        certificates = [x509.load_der_x509_certificate(data)]
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
    try:
        tls_context([pem])
    except ssl.SSLError as error:
        raise ValueError("OpenSSL cannot use this certificate") from error
    return pem


def tls_context(anchors_pem: Sequence[bytes]) -> ssl.SSLContext:
    """Build the client context that trusts these certificates alone: no system store, host checked, TLS 1.2 at least.

    A leaf certificate is accepted as an anchor too (partial chain), and so are several with one subject and serial
    number: destinations make one self-signed certificate for each of their addresses.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for pem in anchors_pem:
        context.load_verify_locations(cadata=pem.decode("ascii"))
    return context
