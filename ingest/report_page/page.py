"""One page about a run, whole in one file: it opens from a disk or a mail, and asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import logging
import shlex
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from images import ImageLimits, ImageRoot, ImageStore, Thumbnails, open_images
from ingest.report_page.gallery import Gallery, ReadImage, read_duplicates, read_rejects
from ingest.settings import IngestSettings, shown_settings
from ingest.timing import ADVICE, MEANING, PART, PARTS, Part, bottleneck, shares
from schemas import IngestReport, ingest_command
from schemas.files import replace_file

log = logging.getLogger(__name__)

_HERE = Path(__file__).parent

_COUNTS = {
    "indexed": "something of them was embedded",
    "updated": "only their payload was written",
    "unchanged": "cost nothing",
    "rejected": "not in the index",
    "degraded": "indexed without an image or a value",
    "deleted": "left the catalog",
    "left_behind": "only in the index before",
    "lost_images": "were in the index, and cannot be read or are not named any more",
    "fields_left_out": "columns that cannot be filtered by: they are too many",
    "embedded_images": "went through the model",
    "embedded_texts": "went through the model",
}
_ALWAYS = ("indexed", "updated", "unchanged", "rejected")
"""These are what the rows became, and shown also where they are none."""


@dataclass(frozen=True, slots=True)
class _Stage:
    name: str
    meaning: str
    seconds: float
    share: float
    part: Part | None


def write_page(
    settings: IngestSettings, report: IngestReport, images: ImageRoot, root: str, failure: str | None
) -> None:
    """Write the page of a run, of what is at hand when it ends.

    Args:
        images: Those of the catalog that was read, whose ``root`` this is; rows that are tried again have others.
    """
    with ExitStack() as closing_them:
        opened: dict[str, ImageRoot] = {root: images}

        def read(where: str | None, source: str) -> bytes | None:
            where = root if where is None else where
            if where not in opened:
                store = ImageStore(settings.data_dir / "pictures")
                others = open_images(where, store, settings, ImageLimits())
                opened[where] = closing_them.enter_context(closing(others))
            return opened[where].read(source)

        assert settings.report is not None
        write_report_page(
            settings.report,
            report,
            Path(report.rejects_file) if report.rejects_file else None,
            Path(report.same_file) if report.same_file else None,
            read,
            shown_settings(settings),
            failure=failure,
        )


def write_report_page(
    path: Path,
    report: IngestReport,
    rejects_file: Path | None,
    duplicates_file: Path | None,
    images: ReadImage,
    settings_shown: Mapping[str, str],
    *,
    failure: str | None = None,
) -> None:
    """Write the page in one step. Where the disk does not take it, that is said: the job itself is done.

    Args:
        settings_shown: As ``shown_settings`` makes them: without secrets.
        failure: Why the job could not be done; the report is then of what was done before.
    """
    try:
        with Thumbnails(ImageLimits()) as thumbnails:
            gallery = Gallery(images, thumbnails)
            rejects = read_rejects(rejects_file, report.rejects, gallery)
            duplicates = read_duplicates(duplicates_file, gallery)
        replace_file(
            path,
            _render(
                report=report,
                failure=failure,
                rejects=rejects,
                same=duplicates,
                settings=settings_shown,
                files={
                    "catalog": report.catalog,
                    "rejects": str(rejects_file.absolute()) if rejects_file else None,
                    "same-looking images": str(duplicates_file.absolute()) if duplicates_file else None,
                },
                retry=_retry(rejects_file, settings_shown) if rejects_file else None,
            ),
        )
    except OSError as error:
        log.warning("the page %s could not be written: %s", path, error.strerror)


def _render(*, report: IngestReport, failure: str | None, settings: Mapping[str, str], **shown: Any) -> bytes:
    style = (_HERE / "report_page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = _template().render(
        shown,
        report=report,
        failure=failure,
        settings=settings,
        dry_run=settings.get("dry_run") == "yes",
        counts=[
            (name, count, meaning)
            for name, meaning in _COUNTS.items()
            if (count := getattr(report, name)) or name in _ALWAYS
        ],
        stages=_stages(report),
        parts=[(part, shares(report.stages).get(part, 0.0)) for part in PARTS],
        bottleneck=bottleneck(report.stages),
        advice=ADVICE,
        now=datetime.now(UTC),
        style=style,
        style_digest=digest,
    )
    return page.encode("utf-8", "replace")  # a lone surrogate of a row


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": lambda number: f"{number:,}", "duration": duration, "percent": _percent}
    return environment.get_template("report_page.html")


def _stages(report: IngestReport) -> list[_Stage]:
    """In the order of a job; stages that are not known here come last."""
    order = {name: place for place, name in enumerate(MEANING)}
    total = max(report.seconds, sum(report.stages.values()))
    stages = [
        _Stage(name, MEANING.get(name, ""), seconds, seconds / total if total else 0.0, PART.get(name))
        for name, seconds in sorted(report.stages.items(), key=lambda item: order.get(item[0], len(order)))
    ]
    return [stage for stage in stages if stage.seconds > 0]


def _retry(rejects_file: Path, settings: Mapping[str, str]) -> str:
    """The command that tries the rejected rows again, from wherever it is typed."""
    command = [*shlex.split(ingest_command()), "--rejects", str(rejects_file.absolute())]
    for name in ("qdrant_url", "data_dir"):
        if value := settings.get(name):
            command += ["--" + name.replace("_", "-"), value if name == "qdrant_url" else str(Path(value).absolute())]
            break
    if collection := settings.get("collection"):
        command += ["--collection", collection]
    return shlex.join(command)


def duration(seconds: float) -> str:
    """As a person says it: ``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 07 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def _percent(share: float) -> str:
    return "< 1%" if 0 < share < 0.005 else f"{share:.0%}"
