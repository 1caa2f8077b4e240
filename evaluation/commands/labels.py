"""``classify`` and ``moderation``: how well text prompts label images, and hold them to a policy."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from embedding import load_encoder
from evaluation import classification, moderation
from evaluation.commands.options import add_json, add_model
from index import IndexSettings, add_settings, build_settings, open_store
from schemas import LabelSet, clean_line


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
        type=_aim,
        default=moderation.Aim(),
        metavar="f1|recall=R|precision=P",
        help="What the threshold is to be good for: the best F1, or at least so much recall or precision.",
    )
    add_model(command, "Model that embeds them.")
    command.add_argument("--store", metavar="NAME", help="Write the policy with its thresholds to the collection.")
    add_settings(command, IndexSettings)
    add_json(command)
    command.set_defaults(run=partial(_moderation, command))


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


def _aim(text: str) -> moderation.Aim:
    try:
        return moderation.Aim.parse(text)
    except ValueError:
        raise ArgumentTypeError(f"{text} is none of f1, recall=R and precision=P, up to 1") from None


def _classify(given: Namespace) -> str:
    measured = classification.measure(
        given.images, load_encoder(given.model), given.labels, given.templates, given.hold_out
    )
    return classification.report(measured, as_json=given.json)


def _moderation(parser: ArgumentParser, given: Namespace) -> str:
    policy = moderation.read_policy(given.policy)
    settings = build_settings(IndexSettings, parser, given)
    measured = moderation.measure(given.images, policy, load_encoder(given.model), given.goal)
    if given.store:
        written = open_store(settings).documents.write("policies", given.store, measured["policy"])
        measured["stored"] = {"name": written.name, "version": written.version}
    return moderation.report(measured, as_json=given.json)
