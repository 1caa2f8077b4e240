"""What a job is told: the command line, and the environment for what the command line leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated

from pydantic import Field, field_validator

from catalog import PictureSettings
from index import IndexSettings, build_settings, describe, index_parser
from ingest.logs import Log

PROGRAM = "python -m ingest"

_EPILOG = """\
Every option is also an environment variable: STORELENS_MODEL, STORELENS_DATA_DIR,
STORELENS_QDRANT_URL and, only there, STORELENS_QDRANT_API_KEY, ...

Progress goes to stderr; the last line of stdout is the report, one JSON object.
Exit status: 0 done, rejected rows included; 1 the job could not be done;
2 bad arguments; 3 rows were rejected and --strict was given.
"""


class IngestSettings(IndexSettings, PictureSettings):
    """One job."""

    catalog: Path = Field(description="A .jsonl, .csv or .parquet file, or a folder of pictures.")
    model: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="`builtin`, or a sentence-transformers image-text model by name or directory; "
        "left out, the index's own, and clip-ViT-B-32 for a new index.",
    )
    crops: bool = Field(False, description="Embed each picture's centre and quadrants beside the whole.")
    prune: bool = Field(False, description="Delete the products that the catalog no longer has.")
    force: bool = Field(False, description="Let --prune delete more than a fifth of the products.")
    dry_run: bool = Field(False, description="Say what would be done, and do nothing.")
    strict: bool = Field(False, description="Exit with status 3 when a row was rejected.")
    log: Log = Field("text", description="What stderr gets: lines for people, or `json`, an object a line.")
    report: Path | None = Field(None, description="An .html file to write: one page about the run, to be kept or sent.")

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
            raise ValueError(f"nothing can be written into the folder {report.parent}: {error.strerror}") from error
        return report


def parse(arguments: Sequence[str]) -> IngestSettings:
    """The settings of a command line; where it is wrong, says so on stderr and exits with status 2."""
    description = "Make a catalog findable: embed its words and pictures and put them into the index."
    parser = index_parser(PROGRAM, description, _EPILOG)
    parser.add_argument("catalog", metavar="CATALOG", help=describe(IngestSettings, "catalog"))
    parser.add_argument("--model", metavar="builtin|NAME|DIR", help=describe(IngestSettings, "model"))
    parser.add_argument("--crops", action="store_true", help=describe(IngestSettings, "crops"))
    parser.add_argument("--prune", action="store_true", help=describe(IngestSettings, "prune"))
    parser.add_argument("--force", action="store_true", help=describe(IngestSettings, "force"))
    parser.add_argument("--dry-run", action="store_true", help=describe(IngestSettings, "dry_run"))
    parser.add_argument("--strict", action="store_true", help=describe(IngestSettings, "strict"))
    parser.add_argument("--log", metavar="text|json", help=describe(IngestSettings, "log"))
    parser.add_argument("--report", metavar="FILE.html", help=describe(IngestSettings, "report"))
    return build_settings(IngestSettings, parser, parser.parse_args(arguments))
