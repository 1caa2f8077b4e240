"""What can be known of the container files without a container engine."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import __version__

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _copied() -> list[str]:
    copies = [line.split()[1:] for line in DOCKERFILE.splitlines() if line.startswith("COPY ")]
    return [source for words in copies if not words[0].startswith("--from") for source in words[:-1]]


COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _services() -> dict[str, Any]:
    services: dict[str, Any] = COMPOSE["services"]
    return services


def _image_environment() -> dict[str, str]:
    """What the image itself sets."""
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    lines = [line.removeprefix("ENV ") for line in final.splitlines() if line.startswith("ENV ")]
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line))


def _filled_in() -> dict[str, str]:
    """``.env.example``: its variables and their values."""
    lines = (DEPLOY / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _interpolated(value: Any, environment: Mapping[str, str]) -> str:
    """As compose does, the old one too: ``${NAME:-default}`` and ``${NAME:?message}``, without any inside another."""

    def replace(found: re.Match[str]) -> str:
        name, sign, rest = found.groups()
        if sign == ":?" and not environment.get(name):
            raise ValueError(f"{name}: {rest}")
        return environment.get(name) or (rest if sign == ":-" else "")

    return re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", replace, str(value))


def _settings() -> dict[str, str]:
    """The README's table: each setting, and whose it is."""
    return dict(re.findall(r"^\| `(STORELENS_[A-Z_]+)` \| (both|job|API) \|", README, flags=re.M))


def test_what_the_image_copies_exists_and_reaches_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for source in _copied():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignored, source


def test_every_room_is_in_the_image() -> None:
    assert set(PYPROJECT["tool"]["importlinter"]["root_packages"]) <= set(_copied())


@pytest.mark.parametrize(
    "command",
    [
        [BIN / "hadolint", DEPLOY / "Dockerfile"],
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"],
        ["bash", "-n", DEPLOY / "demo.sh"],
        ["bash", "-n", ROOT / ".ci" / "run"],
    ],
    ids=["hadolint", "compose schema", "demo.sh", ".ci/run"],
)
def test_well_formed(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_server_is_a_released_one_of_the_client_s_minor_version() -> None:
    pinned = re.fullmatch(r"qdrant/qdrant:v(\d+\.\d+)\.\d+", _services()["qdrant"]["image"])
    assert pinned
    assert pinned[1] == version("qdrant-client").rpartition(".")[0]


def test_the_version_is_the_same_everywhere() -> None:
    assert PYPROJECT["project"]["version"] == __version__
    assert _services()["api"]["image"].endswith(f":{__version__}")


def test_api_and_job_are_one_image_and_see_the_catalog_in_one_place() -> None:
    api, job = _services()["api"], _services()["job"]
    assert api["image"] == job["image"]
    assert job["profiles"], "the job runs when it is asked to, not with the API"
    assert set(job["volumes"]) == set(api["volumes"])


def test_every_setting_of_env_reaches_api_and_job() -> None:
    for name in ("api", "job"):
        service = _services()[name]
        assert service["env_file"] == ".env"
        # What compose says itself outranks that file: nothing but what .env says anyway, and what must be so here.
        said = service["environment"]
        own = {variable for variable in said if "${" + variable not in str(said[variable])}
        assert own - {"STORELENS_MODEL"} == {"STORELENS_HOST", "STORELENS_COMMAND"}
        assert set(said) <= set(_settings())
    # Only the job chooses the model: an API that is started again while the job embeds with another one serves on.
    assert _services()["api"]["environment"]["STORELENS_MODEL"] == ""
    assert _interpolated(_services()["job"]["environment"]["STORELENS_MODEL"], {"STORELENS_MODEL": "x"}) == "x"


def test_the_example_says_what_must_be_set_and_names_nothing_that_is_not_heeded() -> None:
    example = _filled_in()
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    required = set(re.findall(r"\$\{(\w+):\?", text))
    assert {name for name, value in example.items() if not value and name in required} == required
    for document in (text, (DEPLOY / ".env.example").read_text(encoding="utf-8")):
        (number,) = re.findall(r"(\w+) values (?:in it|must be set)", document)
        assert number.lower() == ["no", "one", "two", "three", "four"][len(required)]
    heeded = set(re.findall(r"\$\{(\w+)", text)) | set(_services()["api"]["build"]["args"]) | {"COMPOSE_PROJECT_NAME"}
    assert set(example) <= heeded | set(_settings())
    for name in required:
        with pytest.raises(ValueError, match=f"{name}: set it in .env"):
            _interpolated(text, dict.fromkeys(required - {name}, "x"))


def test_the_api_is_published_on_this_machine_unless_it_is_said_otherwise() -> None:
    (port,) = _services()["api"]["ports"]
    assert _interpolated(port, {}) == "127.0.0.1:8000:8000"
    assert _interpolated(port, _filled_in()) == "127.0.0.1:8000:8000"
    assert _interpolated(port, {"PUBLISH": "0.0.0.0:80", "STORELENS_PORT": "9000"}) == "0.0.0.0:80:9000"
    published = re.findall(r"--publish (\S+)", README)
    assert published
    assert all(where.startswith("127.0.0.1:") for where in published)


def test_older_compose_can_read_it() -> None:
    """docker-compose 1.29: no ``name`` of the project, nothing nested in what is put in, files by their names."""
    assert "name" not in COMPOSE
    assert not re.search(r"\$\{[^}]*\$\{", (DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert all(isinstance(_services()[name]["env_file"], str) for name in ("api", "job"))
    # Whatever the project is called by then, the data are where they were.
    assert {volume["name"] for volume in COMPOSE["volumes"].values()} == {"storelens_qdrant", "storelens_data"}


def test_logs_are_bounded_and_the_server_tells_nobody() -> None:
    for service in _services().values():
        assert {"max-size", "max-file"} <= set(service["logging"]["options"])
    assert _services()["qdrant"]["environment"]["QDRANT__TELEMETRY_DISABLED"] == "true"


def test_the_image_by_itself_can_be_reached_or_says_what_to_set() -> None:
    from api import ApiSettings

    environment = _image_environment()
    settings = {
        name.removeprefix("STORELENS_").lower(): value for name, value in environment.items() if name in _settings()
    }
    assert set(settings) == {"host", "data_dir"}
    assert ApiSettings.model_validate({**settings, "api_keys": "key"}).host == "0.0.0.0"
    with pytest.raises(ValueError, match="set STORELENS_API_KEYS"):
        ApiSettings.model_validate(settings)
    # Wherever a command is run, the code is found, and no file that lies there is run for it.
    assert (environment["PYTHONPATH"], environment["PYTHONSAFEPATH"]) == ("/app", "1")


def test_the_image_has_what_each_of_its_commands_imports_and_no_cuda() -> None:
    groups = set(re.findall(r"--group (\w+)", DOCKERFILE))
    assert groups == {"runtime", "evaluation"}
    assert "ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu\n" in DOCKERFILE
    assert _interpolated(_services()["api"]["build"]["args"]["TORCH_INDEX_URL"], _filled_in()).endswith("/whl/cpu")


def test_files_of_a_checkout_for_one_s_eyes_only_can_be_read_in_the_image() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert final.index("RUN chmod --recursive a+rX /app") > final.rindex("\nCOPY ")
    assert final.index("\nUSER 10001") > final.index("RUN chmod")


class _Healthy(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        assert self.path == "/healthz"
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), _Healthy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class TestHealthCheck:
    @staticmethod
    def _check(**environment: str) -> subprocess.CompletedProcess[str]:
        (command,) = re.findall(r"HEALTHCHECK .*?CMD (\[.*?\])", DOCKERFILE)
        python, *arguments, path = ast.literal_eval(command)
        assert (python, path) == ("python", "/app/deploy/healthcheck.py")
        return subprocess.run(
            [sys.executable, *arguments, DEPLOY / "healthcheck.py"],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_follows_the_port_and_no_proxy(self, port: int) -> None:
        proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy"), "http://127.0.0.1:9")
        for host in ("0.0.0.0", "127.0.0.1", ""):
            done = self._check(STORELENS_PORT=str(port), STORELENS_HOST=host, **proxies)
            assert (done.returncode, done.stderr) == (0, "")

    def test_fails_where_nobody_answers(self) -> None:
        done = self._check(STORELENS_PORT="9")
        assert done.returncode == 1
        assert "does not answer at 127.0.0.1, port 9" in done.stderr

    def test_fails_where_the_answer_is_no(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_Healthy, "status", 500)
        assert self._check(STORELENS_PORT=str(port)).returncode == 1

    def test_is_light(self) -> None:
        tree = ast.parse((DEPLOY / "healthcheck.py").read_text(encoding="utf-8"))
        imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        assert imported == {"os", "socket", "sys"}
        assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))
