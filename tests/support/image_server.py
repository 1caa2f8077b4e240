"""A web server of images that misbehaves on demand, on this machine, over real sockets."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpcore
from httpcore import SOCKET_OPTION

Answer = Callable[["Asked"], object]


class Asked(BaseHTTPRequestHandler):
    """One question, and how it may be answered."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.asked.append((self.path, dict(self.headers.items())))
            answer = self.server.answers.get(self.path)
        try:
            if answer is None:
                self.reply(404, b"there is no such page")
            else:
                answer(self)
        except OSError:  # whoever asked has hung up
            self.close_connection = True

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        """``headers`` with ``_`` for ``-``; Content-Length is the body's own where it is not among them."""
        self.send_response(status)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def stall(self) -> None:
        """Until the test is over."""
        self.server.over.wait()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.lock = threading.Lock()
        self.over = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke off is what many tests are about."""


class ImageServer:
    """What is in ``answers``, by path; ``asked`` says what was asked for, with which headers."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self.answers = server.answers
        self.asked = server.asked
        self.over = server.over
        self.port: int = server.server_address[1]

    def gives(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        """The URL of what is given for ``path`` from now on."""
        self.answers[path] = lambda asked: asked.reply(status, body, **headers)
        return self.url(path)

    def does(self, path: str, answer: Answer) -> str:
        self.answers[path] = answer
        return self.url(path)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def times(self, path: str) -> int:
        """How often it was asked for."""
        return [asked for asked, _ in self.asked].count(path)


@contextmanager
def image_server(tls: ssl.SSLContext | None = None) -> Iterator[ImageServer]:
    server = _Server()
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield ImageServer(server)
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


class LocalInternet(httpcore.NetworkBackend):
    """A network in which every address is this machine; ``connected`` says which were asked for."""

    def __init__(self) -> None:
        self.connected: list[str] = []
        self._tcp = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self.connected.append(host)
        return self._tcp.connect_tcp("127.0.0.1", port, timeout, local_address, socket_options)


class Names:
    """A name service: for each name its answers, one after the other, the last one for ever."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked: list[str] = []

    def __contains__(self, host: str) -> bool:
        return host in self._answers

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        answers = self._answers.get(host, [[host]])
        return answers.pop(0) if len(answers) > 1 else answers[0]
