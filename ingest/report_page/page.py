"""The page of a run, of what is at hand when it ends."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

from images import ImageLimits, ImageRoot, ImageStore, open_images
from ingest.report_page.render import write_report_page
from ingest.settings import IngestSettings, shown_settings
from schemas import IngestReport


def write_page(
    settings: IngestSettings, report: IngestReport, images: ImageRoot, root: str, failure: str | None
) -> None:
    """Args: ``images`` are those of the catalog that was read, whose ``root`` this is."""
    with ExitStack() as held:
        opened: dict[str, ImageRoot] = {root: images}

        def read(where: str | None, source: str) -> bytes | None:
            where = root if where is None else where
            if where not in opened:
                store = ImageStore(settings.data_dir / "pictures")
                others = open_images(where, store, settings, ImageLimits())
                opened[where] = held.enter_context(closing(others))
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
