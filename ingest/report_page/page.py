"""The page of a run, of what is at hand when it ends."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

from images import PictureLimits, PictureRoot, PictureStore, open_pictures
from ingest.report_page.render import write_report_page
from ingest.settings import IngestSettings, shown_settings
from schemas import IngestReport


def write_page(
    settings: IngestSettings, report: IngestReport, pictures: PictureRoot, root: str, failure: str | None
) -> None:
    """Args: ``pictures`` are those of the catalog that was read, whose ``root`` this is."""
    with ExitStack() as held:
        opened: dict[str, PictureRoot] = {root: pictures}

        def read(where: str | None, source: str) -> bytes | None:
            where = root if where is None else where
            if where not in opened:
                store = PictureStore(settings.data_dir / "pictures")
                others = open_pictures(where, store, settings, PictureLimits())
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
