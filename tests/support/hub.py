"""A hub of datasets on this machine: as much of the protocol as it takes to list and fetch files."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

Datasets = Mapping[str, Mapping[str, Mapping[str, bytes]]]
"""Repository -> revision -> path -> content."""


@contextmanager
def hub(datasets: Datasets) -> Iterator[str]:
    """The address of a hub that has these datasets."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, with_body: bool) -> None:
            headers, body = self._found(unquote(urlsplit(self.path).path))
            self.send_response(200 if body is not None else 404)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if with_body and body is not None:
                self.wfile.write(body)

        def _found(self, path: str) -> tuple[dict[str, str], bytes | None]:
            for repo, revisions in datasets.items():
                for revision, files in revisions.items():
                    sha = _sha(revision, files)
                    if path == f"/api/datasets/{repo}/revision/{revision}":
                        listed = [{"rfilename": name} for name in files]
                        return {}, json.dumps({"id": repo, "sha": sha, "siblings": listed}).encode()
                    if path.startswith(f"/api/datasets/{repo}/tree/{sha}"):
                        tree = [
                            {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                            for name, data in files.items()
                        ]
                        return {}, json.dumps(tree).encode()
                    for name, data in files.items():
                        if path == f"/datasets/{repo}/resolve/{sha}/{name}":
                            return {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": sha}, data
                if path.startswith(f"/api/datasets/{repo}/"):
                    return {"X-Error-Code": "RevisionNotFound"}, None
            return {"X-Error-Code": "RepoNotFound"}, None

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _sha(revision: str, files: Mapping[str, bytes]) -> str:
    return hashlib.sha1(repr((revision, sorted(files.items()))).encode()).hexdigest()
