"""Compare WSGI servers for taking evidence in: ``python bench/wsgi_server.py``; figures are in ``host/server.py``.

Each server runs one process with 32 threads. A PUT is read in 1 MiB blocks into SHA-256 and MD5; a page costs about 1.5
ms of Python. Gunicorn is measured where it is installed; the project does not depend on it.
"""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import multiprocessing
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

MIB = 1024 * 1024
BIG = bytes(MIB)


def app(environ: dict, start_response: Callable) -> Iterable[bytes]:
    """Take a body, give a large one, or give a page."""
    if environ["REQUEST_METHOD"] == "PUT":
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        left_bytes = int(environ["CONTENT_LENGTH"])
        while left_bytes and (block := environ["wsgi.input"].read(min(MIB, left_bytes))):
            sha256.update(block)
            md5.update(block)
            left_bytes -= len(block)
        start_response("201 Created", [("ETag", md5.hexdigest()), ("Content-Length", "0")])
        return [b""]
    if environ["PATH_INFO"] == "/big":
        start_response("200 OK", [("Content-Length", str(256 * MIB))])
        return (BIG for _ in range(256))
    body = str(sum(range(60_000))).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def serve_cheroot(port: int) -> None:
    """Serve with the settings of the reference host."""
    from cheroot.wsgi import Server

    Server(("127.0.0.1", port), app, numthreads=32, max=32).start()


COMMANDS = {
    "cheroot": [sys.executable, __file__, "cheroot"],
    "gunicorn": [
        sys.executable,
        "-m",
        "gunicorn",
        "--log-level",
        "error",
        "-k",
        "gthread",
        "-w",
        "1",
        "--threads",
        "32",
    ],
}


def put(port: int, size_mib: int) -> None:
    """Send a body."""
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(f"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: {size_mib * MIB}\r\n\r\n".encode())
        for _ in range(size_mib):
            raw.sendall(BIG)
        assert b" 201 " in raw.recv(4096)


def get_big(port: int) -> None:
    """Fetch 256 MiB on a connection that the server closes."""
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while raw.recv(MIB):
            pass


def page(port: int) -> float:
    """Fetch a page; gives milliseconds."""
    began = time.perf_counter()
    client = http.client.HTTPConnection("127.0.0.1", port)
    client.request("GET", "/")
    client.getresponse().read()
    client.close()
    return (time.perf_counter() - began) * 1000


def cpu_seconds(pid: int) -> float:
    """Add up the time of a process and its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)


def page_after_lingering(port: int) -> float:
    """Fetch a page while another client keeps a connection open that the server has closed."""
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while raw.recv(MIB):
            pass
        return page(port)


def measure(name: str, port: int, pid: int) -> None:
    """Print one server's figures."""
    page(port)
    began, cpu = time.perf_counter(), cpu_seconds(pid)
    put(port, 256)
    print(f"{name}: PUT {256 / (time.perf_counter() - began):.0f} MiB/s, {cpu_seconds(pid) - cpu:.2f} CPU s")
    began = time.perf_counter()
    get_big(port)
    print(f"{name}: GET {256 / (time.perf_counter() - began):.0f} MiB/s")
    uploads = [multiprocessing.Process(target=put, args=(port, 512)) for _ in range(4)]
    began, pages = time.perf_counter(), []
    for upload in uploads:
        upload.start()
    while any(upload.is_alive() for upload in uploads):
        pages.append(page(port))
        time.sleep(0.02)
    rate, pages = 2048 / (time.perf_counter() - began), sorted(pages)
    spread = (pages[len(pages) // 2], pages[len(pages) * 95 // 100], pages[-1])
    print(f"{name}: four PUTs {rate:.0f} MiB/s, page " + " / ".join(f"{figure:.1f}" for figure in spread) + " ms")
    print(f"{name}: page beside a lingering connection {page_after_lingering(port):.0f} ms")


def main() -> None:
    """Measure every server that is installed."""
    for number, (name, command) in enumerate(COMMANDS.items()):
        if importlib.util.find_spec(name) is None:
            print(f"{name}: not installed")
            continue
        port = 9300 + number
        where = [str(port)] if name == "cheroot" else ["-b", f"127.0.0.1:{port}", "wsgi_server:app"]
        server = subprocess.Popen([*command, *where], cwd=Path(__file__).parent)
        try:
            time.sleep(2)
            measure(name, port, server.pid)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["cheroot"]:
        serve_cheroot(int(sys.argv[2]))
    else:
        main()
