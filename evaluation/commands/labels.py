"""``classify`` and ``moderation``: how well text prompts label images, and hold them to a policy."""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from embedding import Encoder, load_encoder
from evaluation import classification, moderation
from evaluation.commands.options import add_json, add_model
from evaluation.image_comparison import compare_images, read_images_run, said
from evaluation.report.classification import classification_page, classification_text
from evaluation.report.images import FileImages
from evaluation.report.moderation import moderation_page, moderation_text
from evaluation.report.page import ReportPage, add_report, check_report, write_report
from index import IndexSettings, add_settings, build_settings, open_store
from schemas import DOCUMENT_NAME, ConfigurationError, IndexRecord, LabelSet, clean_line


def add_commands(commands: Any) -> None:
    _add_classify(commands)
    _add_moderation(commands)


def _add_classify(commands: Any) -> None:
    command = commands.add_parser("classify", help="labels given to images without training: accuracy, unknown")
    command.add_argument("--images", required=True, type=Path, metavar="FILE", help="Labelled images, JSONL.")
    command.add_argument(
        "--labels", type=_names, default=[], metavar="A,B,C", help="Labels to choose from; left out, all of the file."
    )
    command.add_argument(
        "--templates", type=_templates, metavar="FILE", help="Prompts, one a line, as `a photo of a {label}`."
    )
    command.add_argument(
        "--hold-out",
        type=_names,
        action="extend",
        default=[],
        metavar="A",
        help="Labels that are not to choose from: their images are to be unknown.",
    )
    add_model(command, "Model that embeds them.")
    _add_against(command)
    add_report(command)
    add_json(command)
    command.set_defaults(run=_classify)


def _add_moderation(commands: Any) -> None:
    command = commands.add_parser(
        "moderation", help="how well a policy tells what it is about, and from which score on"
    )
    command.add_argument("--images", required=True, type=Path, metavar="FILE", help="Labelled images, JSONL.")
    command.add_argument("--policy", required=True, type=Path, metavar="FILE", help="The policy, JSON.")
    command.add_argument(
        "--goal",
        type=aim,
        default=moderation.Aim(),
        metavar="f1|recall=R|precision=P",
        help="What the threshold is to be good for: the best F1, or at least so much recall or precision.",
    )
    add_model(command, "Model that embeds them.")
    command.add_argument("--store", metavar="NAME", help="Write the policy with its thresholds to the collection.")
    _add_against(command)
    add_report(command)
    add_settings(command, IndexSettings)
    add_json(command)
    command.set_defaults(run=partial(_moderation, command))


def _add_against(command: ArgumentParser) -> None:
    command.add_argument(
        "--against", type=Path, metavar="FILE.json", help="Compare with another run over the same images: its report."
    )


def _names(text: str) -> list[str]:
    names = [clean_line(name) for name in text.split(",")]
    return list(dict.fromkeys(name for name in names if name))


def _templates(text: str) -> list[str]:
    try:
        lines = Path(text).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentTypeError(f"cannot read {text}: {error}") from error
    templates = [line for line in map(str.strip, lines) if line]
    try:
        return LabelSet.model_validate({"labels": [{"name": "any"}], "templates": templates}).templates or []
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        line = templates[int(wrong["loc"][1])] if len(wrong["loc"]) > 1 else text
        raise ArgumentTypeError(f"{line}: {wrong['msg'].removeprefix('Value error, ')}") from error


def aim(text: str) -> moderation.Aim:
    try:
        return moderation.Aim.parse(text)
    except ValueError:
        raise ArgumentTypeError(f"{text} is none of f1, recall=R and precision=P, up to 1") from None


def _classify(given: Namespace) -> str:
    page, before = _before(given, "label")
    measured = classification.measure(
        given.images, load_encoder(given.model), given.labels, given.templates, given.hold_out
    )
    return _told(given, measured, page, before, "label", classification_page, classification_text)


def _moderation(parser: ArgumentParser, given: Namespace) -> str:
    page, before = _before(given, "violates")
    policy = moderation.read_policy(given.policy)
    store = open_store(build_settings(IndexSettings, parser, given))
    encoder = load_encoder(given.model)
    if given.store:
        _check_storable(parser, given.store, store.record(), encoder)
    measured = moderation.measure(given.images, policy, encoder, given.goal)
    if given.store:
        written = store.documents.write("policies", given.store, measured["policy"])
        measured["stored"] = {"name": written.name, "version": written.version}
    return _told(given, measured, page, before, "violates", moderation_page, moderation_text)


def _check_storable(parser: ArgumentParser, name: str, record: IndexRecord | None, encoder: Encoder) -> None:
    """Told of before anything is measured: a name that no policy can have, and thresholds of another model's scores."""
    if not re.fullmatch(DOCUMENT_NAME, name):
        parser.error(f"--store: {name!r} is no name of a policy: small letters, digits, - and _")
    if record is not None and record.embedding.differences(encoder.spec):
        raise ConfigurationError(
            f"the collection's vectors are of model {record.embedding.model!r}, for which thresholds of "
            f"{encoder.spec.model!r} mean nothing: measure with --model {record.embedding.model}"
        )


def _before(given: Namespace, truth: str) -> tuple[Path | None, dict[str, Any] | None]:
    """Where the report is to be, and the run that this one is compared with: told of before anything is measured."""
    page = None if given.report is None else check_report(given.report)
    return page, None if given.against is None else read_images_run(given.against, truth)


def _told(
    given: Namespace,
    measured: dict[str, Any],
    page: Path | None,
    before: dict[str, Any] | None,
    truth: str,
    page_of: Callable[[dict[str, Any], Path, FileImages], ReportPage],
    text_of: Callable[[dict[str, Any]], str],
) -> str:
    """Writes the page where one is asked for, and says the rest; of every image the report alone tells."""
    if before is not None:
        measured["comparison"] = compare_images(measured, before, truth)
    if page is not None:
        with FileImages() as images:
            write_report(page, page_of(measured, given.images.parent, images), measured)
    printed = {name: value for name, value in measured.items() if name != "details"}
    if given.json:
        return json.dumps(printed)
    text = text_of(printed)
    return text if before is None else f"{text}\n\n{said(measured['comparison'])}"
