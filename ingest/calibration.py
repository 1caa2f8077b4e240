"""The quick calibration of searches: after a first ingest, with another model, and when a catalog has changed much.

It asks as searches do, which an ingest knows nothing of; so it is ``python -m evaluation calibrate`` in a process of
its own. What goes wrong there is said, and the ingest is done all the same.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from index import IndexStore, open_store
from ingest.settings import IngestSettings
from schemas import SEARCH_CALIBRATION, DocumentNotFound, IngestReport, StoreLensError

log = logging.getLogger("ingest")

FEWEST = 50
"""Products, below which nothing can be told from what they have in common."""
_CHANGED = 0.2
"""Of the products that a catalog had when it was calibrated."""
_ROOT = Path(__file__).resolve().parents[1]
_COMMAND = "python -m evaluation calibrate"


def calibrate_if_due(settings: IngestSettings, report: IngestReport) -> IngestReport:
    """The report, with what was calibrated."""
    products = report.indexed + report.updated + report.unchanged
    if settings.no_calibration or report.dry_run or not (report.indexed or report.deleted):
        return report
    try:
        if not _is_due(open_store(settings), products):
            return report
    except StoreLensError as error:
        log.warning("whether searches are calibrated could not be told: %s", error.message)
        return report
    if products < FEWEST:
        log.info(
            "searches are not calibrated: the catalog is too small, nothing can be told from fewer than %d products",
            FEWEST,
        )
        return report
    started = perf_counter()
    log.info("calibrating searches: what their scores mean on this catalog")
    version = _calibrate(settings)
    seconds = round(perf_counter() - started, 3)
    return report.model_copy(update={"calibration": version, "stages": {**report.stages, "calibrate": seconds}})


def _is_due(store: IndexStore, products: int) -> bool:
    record = store.record()
    if record is None:
        return False
    try:
        body = store.documents.read("calibrations", SEARCH_CALIBRATION).content
    except DocumentNotFound:
        return True
    if body.get("fingerprint") != record.embedding.fingerprint:
        return True
    if body.get("requests", {}).get("people"):  # somebody's own queries are not replaced by made ones
        return False
    before = int(body.get("products") or 0)
    return abs(products - before) > _CHANGED * max(before, 1)


def _calibrate(settings: IngestSettings) -> int | None:
    """The version of the document that was written; None where it could not be made."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
        "STORELENS_DATA_DIR": str(settings.data_dir),
        "STORELENS_COLLECTION": settings.collection,
    }
    if settings.qdrant_url:
        environment["STORELENS_QDRANT_URL"] = settings.qdrant_url
    if settings.qdrant_api_key:
        environment["STORELENS_QDRANT_API_KEY"] = settings.qdrant_api_key.get_secret_value()
    command = [sys.executable, "-m", "evaluation", "calibrate", "--quick", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    try:
        return int(json.loads(done.stdout.splitlines()[-1])["document"]["version"])
    except (IndexError, KeyError, TypeError, ValueError):
        said = done.stderr.strip().splitlines()
        log.warning("searches are not calibrated (%s); try `%s`", said[-1] if said else done.returncode, _COMMAND)
        return None
