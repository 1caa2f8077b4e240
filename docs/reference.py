"""Writes ``docs/reference.md`` from the code: what commands, settings, the API, documents and errors say of themselves.

``make reference`` runs it; a test fails while the file says anything else.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout, suppress
from pathlib import Path
from runpy import run_module
from typing import Any, cast
from unittest import mock

from pydantic_settings import BaseSettings

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference.md"

HEAD = """\
# Reference

What commands, settings, the API, documents and errors say of themselves. Made by `make reference` from the code, and
held to it by a test: to change it, change what it is made from. How to use it all is told in the
[README](../README.md) and in the [guide to catalogs](catalogs.md).
"""


def reference() -> str:
    """The whole file."""
    parts = [HEAD, *_commands(), *_settings(), *_api(), *_documents(), *_errors()]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _commands() -> Iterator[str]:
    yield "## Commands"
    evaluation = re.search(r"\{([\w,-]+)\}", _help("evaluation"))
    assert evaluation is not None
    commands = ["ingest", *(f"ingest {name}" for name in _ingest_commands()), "api"]
    commands += ["evaluation", *(f"evaluation {name}" for name in evaluation[1].split(","))]
    for command in commands:
        yield f"### python -m {command}\n\n```text\n{_help(command).strip()}\n```"


def _ingest_commands() -> list[str]:
    from ingest.command import COMMANDS

    return sorted(COMMANDS)


def _help(command: str) -> str:
    package, *rest = command.split()
    said = io.StringIO()
    with (
        mock.patch.dict(os.environ, {"COLUMNS": "110"}),
        mock.patch.object(sys, "argv", [package, *rest, "--help"]),
        redirect_stdout(said),
        suppress(SystemExit),
    ):
        run_module(package, run_name="__main__", alter_sys=True)
    return "\n".join(line.rstrip() for line in said.getvalue().splitlines())


def _settings() -> Iterator[str]:
    from api.settings import ApiSettings
    from ingest.settings import IngestSettings

    programs: dict[str, type[BaseSettings]] = {"job": IngestSettings, "API": ApiSettings}
    yield "## Settings\n\nEach is an option of its program as well, unless it is secret."
    rows: dict[str, tuple[list[str], str, str]] = {}
    for program, settings in programs.items():
        for name, field in settings.model_fields.items():
            if name == "catalog":
                continue
            shown = field.get_default(call_default_factory=True)
            default = "" if shown is None or shown == () or shown == "" else f"`{_plain(shown)}`"
            row = rows.setdefault(f"STORELENS_{name.upper()}", ([], default, field.description or ""))
            row[0].append(program)
    table = (
        f"| `{name}` | {', '.join(who)} | {default} | {_cell(text)} |"
        for name, (who, default, text) in sorted(rows.items())
    )
    yield "\n".join(["| variable | of | default | |", "|---|---|---|---|", *table])


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _api() -> Iterator[str]:
    from api.app import create_app
    from api.settings import ApiSettings

    described = create_app(ApiSettings(), decoders=cast(Any, object())).openapi()
    yield "## HTTP\n\nAs OpenAPI at `/openapi.json`. Errors are problems after RFC 9457, with [these](#errors) codes."
    rows = ["| | | answers |", "|---|---|---|"]
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            statuses = ", ".join(sorted(operation["responses"]))
            said = _prose(operation.get("description", operation.get("summary", ""))).partition(". ")[0].rstrip(".")
            rows.append(f"| `{method.upper()} {path}` | {_cell(said)} | {statuses} |")
    yield "\n".join(rows)
    for name, schema in sorted(described["components"]["schemas"].items()):
        if "properties" in schema:
            yield _schema(name, schema)


def _documents() -> Iterator[str]:
    from schemas import DOCUMENT_BODIES

    yield "## Documents\n\nKept beside an index: `python -m ingest documents`, and `/v1/documents/{kind}/{name}`."
    for kind, body in DOCUMENT_BODIES.items():
        schema = body.model_json_schema()
        yield _schema(kind, schema)
        for name, part in sorted(schema.get("$defs", {}).items()):
            if "properties" in part:
                yield _schema(name, part, "####")


def _schema(name: str, schema: Mapping[str, Any], level: str = "###") -> str:
    lines = [f"{level} {name}", ""]
    if said := schema.get("description"):
        lines += [_prose(said), ""]
    required = schema.get("required", ())
    fields = schema.get("properties", {})
    if fields:
        lines += ["| field | type | |", "|---|---|---|"]
    for field, its in fields.items():
        text = its.get("description", "")
        if field in required:
            text = f"**Required.** {text}".strip()
        elif its.get("default") not in (None, [], {}, ""):
            text = f"{text} Default: `{its['default']}`.".strip()
        lines.append(f"| `{field}` | {_cell(_type(its))} | {_cell(text)} |")
    return "\n".join(lines)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_type(one) for one in schema[several] if one.get("type") != "null"))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_type(schema['additionalProperties'])}"
    return str(schema.get("type", "anything"))


def _errors() -> Iterator[str]:
    import schemas.errors as errors

    _, _, tree = (errors.__doc__ or "").partition("\n\n")
    tree, _, rest = tree.partition("\n\n")
    yield f"## Errors\n\n```text\n{tree}\n```\n\n{_prose(rest)}"
    found = sorted(
        (error.code, name)
        for name, error in vars(errors).items()
        if isinstance(error, type) and issubclass(error, errors.StoreLensError) and "code" in vars(error)
    )
    yield "\n".join(["| code | error |", "|---|---|", *(f"| `{code}` | `{name}` |" for code, name in found)])


def _prose(text: str) -> str:
    return re.sub(r"``([^`]+)``", r"`\1`", " ".join(text.split()))


def _cell(text: str) -> str:
    return _prose(text).replace("|", "\\|")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    REFERENCE.write_text(reference(), encoding="utf-8")
