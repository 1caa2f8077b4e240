"""``calibrate``: what the scores of searches, labels and policies mean on a catalog, measured and kept beside it."""

from __future__ import annotations

import json
import random
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from catalog import point_id
from embedding import load_encoder
from evaluation.calibrate import fit
from evaluation.commands.labels import aim
from evaluation.commands.options import add_json
from evaluation.home_made import Example, ImageMaker, Maker
from evaluation.label_calibration import calibrate_label_set, calibrate_policy, keep
from evaluation.label_calibration import report as report_labels
from evaluation.moderation import Aim
from evaluation.queries import read_queries
from evaluation.report.calibration import calibration_page
from evaluation.report.label_calibration import label_calibration_page
from evaluation.report.page import add_report, check_report, write_report
from index import IndexSettings, IndexStore, add_settings, build_settings, open_store
from schemas import (
    SEARCH_CALIBRATION,
    Calibration,
    ConfigurationError,
    LabelCalibration,
    Policy,
    PolicyCalibration,
    SearchRequest,
)
from search import Searcher

_QUICK = 250
"""Requests of the quick form."""
_AT_ONCE = 64
"""Requests whose words are encoded together."""
_COLUMNS = {
    "none": "none",
    "f1_mean": "F1 mean",
    "f1_median": "median",
    "ndcg@10": "nDCG@10",
    "shipped_ndcg@10": "shipped",
    "best_leg_ndcg@10": "best leg",
}


def add_commands(commands: Any) -> None:
    command = commands.add_parser("calibrate", help="what scores mean on this catalog: verdicts, and what fits")
    command.add_argument(
        "--queries", type=Path, metavar="FILE", help="Labelled queries of people, JSONL, beside those made."
    )
    command.add_argument("--quick", action="store_true", help="With fewer requests, in seconds.")
    command.add_argument("--label-set", metavar="NAME", help="Calibrate a label set in place of searches.")
    command.add_argument("--policy", metavar="NAME", help="Calibrate a policy in place of searches.")
    command.add_argument(
        "--images", type=Path, metavar="FILE", help="Labelled images of these, JSONL, as classify and moderation have."
    )
    command.add_argument("--field", metavar="FIELD", help="Without images: what of the catalog the labels are.")
    command.add_argument(
        "--goal",
        type=aim,
        default=Aim(),
        metavar="f1|recall=R|precision=P",
        help="What a policy's thresholds are to be good for.",
    )
    command.add_argument("--dry-run", action="store_true", help="Measure, and keep nothing.")
    add_report(command)
    add_settings(command, IndexSettings)
    add_json(command)
    command.set_defaults(run=partial(_calibrate, command))


def _calibrate(parser: ArgumentParser, given: Namespace) -> str:
    settings = build_settings(IndexSettings, parser, given)
    page = None if given.report is None else check_report(given.report)
    store = open_store(settings)
    if given.label_set or given.policy:
        return _calibrate_labels(parser, store, given, page)
    if given.images or given.field:
        parser.error("--images and --field go with --label-set or --policy")
    with closing(store.open()) as index:
        searcher = Searcher(index, load_encoder(index.record.embedding.model))
        # With the weights that are shipped, not with those of a calibration before.
        searcher.use([document for document in store.documents.read_all() if document.kind != "calibrations"])
        examples = list(tqdm(_examples(searcher, given.queries, given.quick), desc="calibrate", disable=None))
        calibration = fit(examples, searcher.weights, index.record.embedding, index.count(), index.generation)
    if calibration.words is None and calibration.image is None:
        raise ConfigurationError(
            "the catalog is too small to be calibrated: nothing can be told from what few products have in common"
        )
    document: dict[str, Any] | None = None
    if not given.dry_run:
        written = store.documents.write("calibrations", SEARCH_CALIBRATION, calibration.model_dump(mode="json"))
        document = {"kind": "calibrations", "name": written.name, "version": written.version}
    report: dict[str, Any] = {
        "weights": calibration.weights,
        "verdict": _verdict_report(calibration),
        "test": calibration.test,
        "document": document,
    }
    if page is not None:
        whole = {**report, "calibration": calibration.model_dump(mode="json")}
        write_report(page, calibration_page(calibration, report["verdict"]), whole)
    return json.dumps(report) if given.json else _text(report)


def _calibrate_labels(parser: ArgumentParser, store: IndexStore, given: Namespace, page: Path | None) -> str:
    if given.queries or given.quick:
        parser.error("--queries and --quick are of searches")
    if given.label_set and given.policy:
        parser.error("calibrate one at a time: --label-set or --policy")
    if given.policy and (given.images is None or given.field):
        parser.error("a policy is calibrated on --images FILE alone")
    if given.images and given.field:
        parser.error("--images or --field: one of them says what is right")
    with closing(store.open()) as index:
        encoder = load_encoder(index.record.embedding.model)
        calibration: LabelCalibration | PolicyCalibration
        overridden: list[str] = []
        if given.policy:
            calibration = calibrate_policy(store, index, encoder, given.policy, given.images, given.goal)
            policy = store.documents.read("policies", given.policy).body
            assert isinstance(policy, Policy)
            overridden = [rule.name for rule in policy.rules if rule.threshold is not None]
        else:
            calibration = calibrate_label_set(store, index, encoder, given.label_set, given.images, given.field)
    document = None if given.dry_run else keep(store, calibration)
    if page is not None:
        whole = calibration.model_dump(mode="json") | {"document": document, "overridden": overridden}
        write_report(page, label_calibration_page(calibration), whole)
    return report_labels(calibration, document, overridden, as_json=given.json)


def _examples(searcher: Searcher, queries: Path | None, quick: bool) -> Iterator[Example]:
    requests = Maker(searcher.index).requests()
    if quick and len(requests) > _QUICK:
        requests = random.Random(0).sample(requests, _QUICK)
    for start in range(0, len(requests), _AT_ONCE):
        some = requests[start : start + _AT_ONCE]
        asked = [SearchRequest(text=made.text, literal=made.literal) for made in some]
        searcher.encode_ahead(asked)
        for made, request in zip(some, asked, strict=True):
            yield Example(made.kind, made.source, made.relevant, searcher.observe(request))
    yield from ImageMaker(searcher, quick=quick).requests()
    for query in read_queries(queries) if queries else ():
        if query.query and not query.image:
            relevant = frozenset(point_id(id) for id, grade in query.relevant.items() if grade > 0)
            yield Example("people", query.query, relevant, searcher.observe(SearchRequest(text=query.query)))


def _verdict_report(calibration: Calibration) -> dict[str, float] | None:
    """Of ``none`` for requests of words, in the halves that it was not fitted on."""
    if calibration.words is None:
        return None
    kinds: dict[str, Any] = calibration.test
    wrong = sum(of["none"] * of["requests"] for kind, of in kinds.items() if kind != "not sold" and "none" in of)
    not_sold = kinds.get("not sold", {"none": 0.0, "requests": 0})
    right = not_sold["none"] * not_sold["requests"]
    return {
        "threshold": calibration.words.none_below,
        "precision": right / (right + wrong) if right + wrong else 0.0,
        "recall": not_sold["none"],
    }


def _text(report: dict[str, Any]) -> str:
    lines = [f"{'kind':<20}{'requests':>9}" + "".join(f"{title:>9}" for title in _COLUMNS.values())]
    for kind, of in report["test"].items():
        cells = (f"{of[name]:.3f}" if name in of else "" for name in _COLUMNS)
        lines.append(f"{kind:<20}{of['requests']:>9}" + "".join(f"{cell:>9}" for cell in cells))
    for regime, table in (report["weights"] or {}).items():
        lines.append(f"weights {regime}: " + ", ".join(f"{leg} {weight:g}" for leg, weight in table.items()))
    if report["document"]:
        lines.append(f"kept as calibrations/{report['document']['name']}, version {report['document']['version']}")
    return "\n".join(lines)
