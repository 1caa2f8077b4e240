"""``python -m schemas [NAME]``: the JSON schema of one type, or of all of them by name."""

from __future__ import annotations

import argparse
import json

from pydantic import BaseModel

import schemas

MODELS = {
    name: model
    for name, model in sorted(vars(schemas).items())
    if isinstance(model, type) and issubclass(model, BaseModel)
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m schemas", description="Print JSON schemas.")
    parser.add_argument("name", nargs="?", choices=MODELS, metavar="NAME", help=f"one of {', '.join(MODELS)}")
    name = parser.parse_args(arguments).name
    printed = MODELS[name].model_json_schema() if name else {n: m.model_json_schema() for n, m in MODELS.items()}
    print(json.dumps(printed, indent=2))


if __name__ == "__main__":
    main()
