"""The WSGI server on a real socket: bodies stream, early answers arrive, large answers stream, HTTPS works."""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from bodyworn_host.problems import AddressTaken
from bodyworn_host.server import ChunkedBody, Server, free_port
from bodyworn_host.settings import Settings
from flask import Flask, Response, request

MIB = 1024 * 1024


def demo_app() -> Flask:
    """An app that takes, refuses and gives large bodies."""
    app = Flask("demo")

    @app.put("/take")
    def take():
        digest = hashlib.sha256()
        while block := request.stream.read(MIB):
            digest.update(block)
        return digest.hexdigest()

    app.add_url_rule("/refuse", "refuse", lambda: ("no", 412), methods=["PUT"])
    app.add_url_rule("/big", "big", lambda: Response((bytes(MIB) for _ in range(64)), content_type="video/mp4"))
    app.add_url_rule("/small", "small", lambda: "small")
    return app


@contextmanager
def served(tmp_path, **settings):
    """Serve the app on a free port; gives its settings."""
    chosen = Settings(tmp_path, port=free_port("127.0.0.1"), **settings)
    server = Server(demo_app(), chosen)
    server.start()
    try:
        yield chosen
    finally:
        server.stop()


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with served(tmp_path_factory.mktemp("server")) as settings:
        yield settings.port


def connected(port: int) -> closing:
    return closing(socket.create_connection(("127.0.0.1", port), timeout=20))


def answer(raw: socket.socket) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(raw)
    response.begin()
    return response


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"PUT {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def test_a_large_body_streams_through(port):
    with connected(port) as raw:
        raw.sendall(head("/take", f"Content-Length: {32 * MIB}"))
        for number in range(32):
            raw.sendall(bytes([number]) * MIB)
        expected = hashlib.sha256(b"".join(bytes([number]) * MIB for number in range(32))).hexdigest()
        assert answer(raw).read().decode() == expected


def test_a_client_that_waits_is_told_to_continue(port):
    with connected(port) as raw:
        raw.sendall(head("/take", "Content-Length: 5", "Expect: 100-continue"))
        assert raw.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(b"hello")
        assert answer(raw).read().decode() == hashlib.sha256(b"hello").hexdigest()


@pytest.mark.parametrize("framing", ["Content-Length: 5000000000", "Transfer-Encoding: chunked"])
def test_a_refusal_arrives_before_the_body_is_sent(port, framing):
    with connected(port) as raw:
        raw.sendall(head("/refuse", framing))
        began = time.monotonic()
        response = answer(raw)
        assert response.status == 412
        assert response.headers["Connection"] == "close"
        assert time.monotonic() - began < 2


def test_a_refused_body_is_not_swallowed_to_its_end(port):
    sent_bytes = 0
    with connected(port) as raw:
        raw.sendall(head("/refuse", f"Content-Length: {512 * MIB}"))
        try:
            for _ in range(512):
                raw.sendall(bytes(MIB))
                sent_bytes += MIB
        except OSError:
            pass
        assert answer(raw).status == 412
    assert sent_bytes < 64 * MIB


def test_a_read_body_keeps_the_connection(port):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        client.request("PUT", "/take", b"x" * 100)
        client.getresponse().read()
        first = client.sock
        client.request("GET", "/small")
        assert client.getresponse().read() == b"small"
        assert client.sock is first


def test_a_body_is_read_whole_however_it_arrives(port):
    data = bytes(range(256)) * 5000
    with connected(port) as raw:
        # a part with the headers, a part later, then the next request on the same connection; its body comes after the
        # first answer was read, which might swallow the second otherwise
        raw.sendall(head("/take", f"Content-Length: {len(data)}") + data[:700])
        time.sleep(0.05)
        raw.sendall(data[700:90_000])
        time.sleep(0.05)
        raw.sendall(data[90_000:] + head("/take", "Content-Length: 5"))
        assert answer(raw).read().decode() == hashlib.sha256(data).hexdigest()
        raw.sendall(b"hello")
        assert answer(raw).read().decode() == hashlib.sha256(b"hello").hexdigest()


def test_a_chunked_body_is_read_and_the_connection_kept(port):
    with connected(port) as raw:
        body = b"5\r\nhello\r\n" + b"6;note=1\r\n world\r\n" + b"0\r\nTrailer: x\r\n\r\n"
        for _ in range(2):
            raw.sendall(head("/take", "Transfer-Encoding: chunked") + body)
            assert answer(raw).read().decode() == hashlib.sha256(b"hello world").hexdigest()


def test_one_enormous_chunk_is_not_held_in_memory():
    class Endless:
        """A connection that announces a chunk of a terabyte."""

        def __init__(self):
            self.asked = []

        def readline(self, limit):
            return b"10000000000\r\n"

        def read(self, size):
            self.asked.append(size)
            return bytes(size)

    source = Endless()
    assert len(ChunkedBody(source).read(MIB)) == MIB
    assert max(source.asked) <= MIB


@pytest.mark.parametrize(
    "framing",
    [
        b"",
        b"x\r\n",
        b"-1\r\n",
        b"+5\r\nhello\r\n",
        b"5\r\nhel",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"0\r\n" + b"a: b\r\n" * 200,
        b"5\r\nhello\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"1" * 5000,
    ],
)
def test_broken_framing_is_an_error_and_never_a_short_body(framing):
    import io

    with pytest.raises(ValueError, match=r"body|chunk"):
        ChunkedBody(io.BytesIO(framing)).read()


def test_chunks_are_read_by_lines_and_pieces():
    import io

    body = ChunkedBody(io.BytesIO(b"3\r\na\nb\r\n2\r\n\nc\r\n0\r\n\r\n"))
    assert list(body) == [b"a\n", b"b\n", b"c"]
    assert body.read() == body.read(10) == b""
    assert ChunkedBody(io.BytesIO(b"3\r\nabc\r\n0\r\n\r\n")).read(0) == b""


def test_a_large_answer_streams_and_can_be_left(port):
    with connected(port) as raw:
        raw.sendall(b"GET /big HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        raw.recv(1000)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        client.request("GET", "/big")
        response, size_bytes = client.getresponse(), 0
        while block := response.read(MIB):
            size_bytes += len(block)
        assert size_bytes == 64 * MIB


def test_pages_are_answered_while_uploads_are_under_way(port):
    halves = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(8)]
    for raw in halves:
        raw.sendall(head("/take", "Content-Length: 1000000") + b"x" * 500_000)
    began = time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as client:
        client.request("GET", "/small")
        assert client.getresponse().read() == b"small"
    assert time.monotonic() - began < 2
    for raw in halves:
        raw.sendall(b"x" * 500_000)
        assert answer(raw).status == 200
        raw.close()


def test_an_address_in_use_is_said_in_words(tmp_path, port):
    with pytest.raises(AddressTaken, match=f"cannot listen on 127.0.0.1:{port}"):
        Server(demo_app(), Settings(tmp_path, port=port))


def test_stopping_ends_the_threads(tmp_path):
    before = set(threading.enumerate())
    with served(tmp_path):
        assert set(threading.enumerate()) - before
    assert not set(threading.enumerate()) - before


def self_signed(folder) -> tuple:
    """Make a certificate for 127.0.0.1."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    start = datetime.now(UTC) - timedelta(days=1)
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=9))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
    pem = serialization.Encoding.PEM
    kept = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(kept)
    (folder / "certificate.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(pem))
    return folder / "certificate.pem", folder / "key.pem"


def test_https_is_spoken_with_the_certificate_given(tmp_path):
    certificate, key = self_signed(tmp_path)
    with served(tmp_path, certificate=certificate, private_key=key) as settings:
        assert settings.base_url.startswith("https://")
        context = ssl.create_default_context(cafile=str(certificate))
        with closing(http.client.HTTPSConnection("127.0.0.1", settings.port, timeout=20, context=context)) as client:
            client.request("PUT", "/take", bytes(3 * MIB))
            assert client.getresponse().read().decode() == hashlib.sha256(bytes(3 * MIB)).hexdigest()
