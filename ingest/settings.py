"""What a job is told: the command line, and the environment for what the command line leaves out."""

from __future__ import annotations

import codecs
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import CliPositionalArg, NoDecode

from images import ImageSettings
from index import IndexSettings, build_settings, settings_parser
from ingest.columns.mapping import parse_map
from ingest.logs import Log
from schemas import DOCUMENT_NAME, Precision, ingest_command, reason, split_commas

_EPILOG = """\
Progress goes to stderr; the last line of stdout is the report, one JSON object.
Exit status: 0 done, rejected rows included; 1 the job could not be done;
2 bad arguments; 3 rows were rejected and --strict was given.

In place of CATALOG, a command with options of its own (COMMAND --help says which):
  documents, generations, label, moderate, same, synonyms, tidy
"""


Format = Literal["jsonl", "csv", "tsv", "parquet"]


class IngestSettings(ImageSettings, IndexSettings):
    """One job."""

    catalog: CliPositionalArg[Annotated[str, Field(min_length=1)] | None] = Field(
        None,
        description="A file (.jsonl, .csv, .tsv, .parquet; .gz and .zst of text), a .zip or .tar of one and its "
        "images, a folder of images, s3://..., gs://..., hf://datasets/ORG/NAME, or - for standard input.",
    )
    format: Format | None = Field(
        None, description="What the catalog is, where its name does not say: jsonl, csv, tsv or parquet."
    )
    encoding: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="What the catalog's text is encoded in, as cp1250; left out, it is found out, or refused."
    )
    map: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Read their column THEIRS as our OUR, as title=name; may be given again. images may be several.",
    )
    map_file: Path | None = Field(None, description="A YAML file of such mappings: `title: name`.")
    guess: bool = Field(True, description="Read columns by what their names mean; --no-guess takes ours alone.")
    model: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="`builtin`, or a sentence-transformers image-text model by name or directory; "
        "left out, the index's own, and clip-ViT-B-32 for a new index.",
    )
    rejects: Path | None = Field(
        None, description="A rejects file of an earlier run, in place of a catalog: try its rows again."
    )
    precision: Precision | None = Field(
        None,
        description="Arithmetic of the model: float32, bfloat16, or int8, which is measured on some of the images "
        "first and not taken where it loses too much. Left out, bfloat16 where the processor is made for it.",
    )
    crops: bool | None = Field(
        None,
        description="Embed each image's centre and quadrants beside the whole; left out, as the index has it.",
    )
    policy: str | None = Field(
        None,
        pattern=f"^{DOCUMENT_NAME}$",
        description="Hold what is new or changed to this policy of the collection, before anybody can find it.",
    )
    label_set: str | None = Field(
        None,
        pattern=f"^{DOCUMENT_NAME}$",
        description="Say what every product is by this label set of the collection, in predicted.NAME.",
    )
    no_calibration: bool = Field(
        False, description="Leave searches uncalibrated, or as they are, where they would be calibrated at the end."
    )
    prune: bool = Field(False, description="Delete the products that the catalog no longer has.")
    force: bool = Field(False, description="Let a run delete more than a fifth of the products, or of their images.")
    dry_run: bool = Field(False, description="Say what would be done, and do nothing.")
    strict: bool = Field(False, description="Exit with status 3 when a row was rejected.")
    log: Log = Field("text", description="What stderr gets: lines for people, or `json`, an object a line.")
    wait: float | None = Field(
        None,
        ge=0,
        le=86_400,
        description="Seconds to wait for another job that holds the index. Left out, a job that lives is not waited "
        "for, and one of another machine that may have died for the minute after which it is forgotten.",
    )
    shards: int | None = Field(None, ge=1, description="Shards of a new collection on a Qdrant server.")
    replicas: int | None = Field(
        None, ge=1, description="Copies of each shard of a new collection, on as many nodes of a Qdrant cluster."
    )
    report: Path | None = Field(None, description="An .html file to write: one page about the run, to be kept or sent.")

    def retry(self, rejects: str) -> str:
        """The command that tries rejects again, on the same index."""
        command = [*ingest_command().split(), "--rejects", rejects]
        for name in ("qdrant_url" if self.qdrant_url else "data_dir", "collection"):
            if (value := getattr(self, name)) != type(self).model_fields[name].default:
                command += [f"--{name.replace('_', '-')}", str(value)]
        return shlex.join(command)

    @field_validator("report")
    @classmethod
    def _can_be_written(cls, report: Path | None) -> Path | None:
        """Told before the job starts, not hours later."""
        if report is None:
            return None
        if report.suffix.lower() not in (".html", ".htm"):  # nor is a catalog ever written over
            raise ValueError(f"{report} does not end in .html")
        if report.is_dir():
            raise ValueError(f"{report} is a folder")
        try:
            with TemporaryFile(dir=report.parent):
                pass
        except OSError as error:
            raise ValueError(f"nothing can be written into the folder {report.parent}: {reason(error)}") from error
        return report

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, encoding: str | None) -> str | None:
        """Any that Python decodes text from."""
        if encoding is not None:
            try:
                if not isinstance("".encode(encoding), bytes) or b"".decode(encoding):
                    raise LookupError
                codecs.getincrementaldecoder(encoding)
            except (LookupError, ValueError) as error:
                raise ValueError(f"{encoding!r} is no encoding of text; cp1250, utf-16 and shift_jis are") from error
        return encoding

    @field_validator("map", mode="before")
    @classmethod
    def _split_map(cls, value: object) -> object:
        """The environment has them between commas."""
        return split_commas(value) if isinstance(value, str) else value

    @field_validator("map")
    @classmethod
    def _check_map(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_map(value)
        return value

    @model_validator(mode="after")
    def _one_input(self) -> IngestSettings:
        if (self.catalog is None) == (self.rejects is None):
            raise ValueError("required: CATALOG, or --rejects FILE in its place")
        if self.rejects and self.prune:
            raise ValueError("--prune goes with a whole catalog: rejected rows alone do not say what left it")
        if (self.shards or self.replicas) and not self.qdrant_url:
            raise ValueError("--shards and --replicas are of a Qdrant server: name it with --qdrant-url")
        return self


def shown_settings(settings: IngestSettings) -> dict[str, str]:
    """What may be shown of a job's settings: those that say something, without secrets."""
    shown: dict[str, str] = {}
    for name, value in settings:
        if value is None or value is False or value == () or isinstance(value, SecretStr):
            continue
        text = ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
        # Not the name and password in an address, nor the keys behind one.
        shown[name] = "yes" if value is True else re.sub(r"(?<=://)[^/@\s]*(?=@)|(?<=\?)\S+", "…", text)
    return shown


def parse(arguments: Sequence[str]) -> IngestSettings:
    """The settings of a command line; where it is wrong, says so on stderr and exits with status 2."""
    description = "Make a catalog findable: embed its words and images and put them into the index."
    parser = settings_parser(IngestSettings, ingest_command(), description, _EPILOG)
    return build_settings(IngestSettings, parser, arguments)
