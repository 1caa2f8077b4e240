"""``python -m ingest moderate``: hold a whole index to a policy, from stored vectors, and decide as a person."""

from __future__ import annotations

import json
import logging
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any, get_args

from pydantic import ValidationError

from embedding import Encoder, load_encoder
from index import IndexSettings, IndexStore, build_settings, open_store
from ingest.commands.from_vectors import stored_prompts, the_one
from ingest.commands.parser import command_parser
from ingest.progress import counted
from labels import appeal, decisions, judge_index, starter_policy
from schemas import Action, Appealed, clean_code, ingest_command

log = logging.getLogger("ingest")

_ACTIONS: tuple[Action, ...] = get_args(Action)
_WITHDRAWN = "withdraw"
_EPILOG = """\
  judge                     hold every product to --policy, by the vectors that are stored: no image is
                            read or embedded; only what is decided otherwise is written. What other
                            policies decided stays, and the strictest of all counts
  appeal ID..               decide as a person, with --action and --by: it outlives every judgement, and
                            is logged in DATA_DIR/COLLECTION/appeals.jsonl; `withdraw` takes it back
  list                      products that are not simply allowed, or those of --action
  starter                   write a policy `retail` to begin with, if there is none; it is uncalibrated

Progress goes to stderr; the last line of stdout is one JSON object.
"""


def main(arguments: Sequence[str], encoder_of: Callable[[str], Encoder] = load_encoder) -> int:
    parser = command_parser("moderate", "Hold an index to a policy, and decide as a person.", _EPILOG)
    parser.add_argument("what", nargs="?", choices=["judge", "appeal", "list", "starter"], default="judge")
    parser.add_argument("ids", nargs="*", metavar="ID", help="Of the products of an appeal.")
    parser.add_argument("--policy", metavar="NAME", help="The policy; left out, the only one that there is.")
    parser.add_argument("--action", choices=[*_ACTIONS, _WITHDRAWN], help="What is decided, or listed.")
    parser.add_argument("--by", metavar="PERSON", help="Who decides.")
    parser.add_argument("--note", metavar="TEXT", help="Why.")
    parser.add_argument("--wait", type=float, metavar="SECONDS", help="Wait so long for another job.")
    given = parser.parse_intermixed_args(arguments)
    settings = build_settings(IndexSettings, parser, given)
    _check(parser, given)
    store = open_store(settings)
    match given.what:
        case "judge":
            done = _judge(store, given, encoder_of)
        case "appeal":
            done = _appeal(store, settings, given)
        case "list":
            done = _listed(store, given)
        case _:
            written = store.documents.write("policies", "retail", starter_policy(), 0)
            done = {"policy": written.name, "version": written.version}
    print(json.dumps(done, ensure_ascii=False))
    return 0


def _check(parser: ArgumentParser, given: Namespace) -> None:
    if (given.what == "appeal") != bool(given.ids):
        parser.error("appeal needs the ID of a product" if given.what == "appeal" else f"{given.what} takes no ID")
    if given.what == "appeal" and not (given.action and given.by and given.by.strip()):
        parser.error("an appeal needs --action and --by")
    if given.action == _WITHDRAWN:
        if given.what != "appeal":
            parser.error(f"only an appeal can be taken back: {given.what} has no --action {_WITHDRAWN}")
        given.action = None
    try:
        given.appeals = [
            Appealed(id=id, action=given.action, note=given.note) for id in dict.fromkeys(map(clean_code, given.ids))
        ]
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        parser.error(f"{wrong['loc'][0]}: {wrong['msg']}")


def _judge(store: IndexStore, given: Namespace, encoder_of: Callable[[str], Encoder]) -> dict[str, Any]:
    started = time.perf_counter()
    name = given.policy or the_one(store, "policies", "--policy", f"`{ingest_command()} moderate starter`")

    prompts = partial(stored_prompts, store, "judge", encoder_of)
    with counted("moderate") as progress:
        judged = judge_index(store, name, prompts, given.wait, progress)
    for notice in judged.notices:
        log.warning("%s", notice)
    return {
        "policy": name,
        "version": judged.version,
        "products": sum(judged.counts.values()),
        **judged.counts,
        "changed": judged.changed,
        "appeals": judged.appeals,
        "generation": judged.generation,
        "seconds": round(time.perf_counter() - started, 2),
    }


def _appeal(store: IndexStore, settings: IndexSettings, given: Namespace) -> dict[str, Any]:
    entries, generation = appeal(
        store, settings.data_dir / settings.collection, given.appeals, given.by.strip(), given.wait
    )
    return {"decided": entries, "generation": generation}


def _listed(store: IndexStore, given: Namespace) -> dict[str, Any]:
    actions = (given.action,) if given.action else _ACTIONS
    with closing(store.open()) as index:
        decided = decisions(index, actions)
        ids = index.payloads(list(decided), ["id"])
    products = [{"id": ids[point]["id"], **decision} for point, decision in decided.items()]
    return {"products": products}
