"""Which search is measured: an index, a generation of it, and the weights of its legs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from embedding import Encoder
from index import CatalogIndex, IndexSettings, open_store
from schemas import LEGS_OF_IMAGES, LEGS_OF_WORDS, ConfigurationError
from search import LegWeights, Searcher

LoadEncoder = Callable[[str], Encoder]

_WEIGHTS = TypeAdapter(LegWeights)
_OF_INDEX = ("data_dir", "qdrant_url", "collection")
_OWN = ("generation", "weights")


@dataclass(frozen=True, slots=True)
class Configuration:
    """``generation`` is the one that serves where it is None; ``weights`` is a JSON file, None for the model's own."""

    settings: IndexSettings
    generation: str | None = None
    weights: Path | None = None

    @contextmanager
    def index(self) -> Iterator[CatalogIndex]:
        with closing(open_store(self.settings).open(self.generation)) as index:
            yield index

    @contextmanager
    def searcher(self, load: LoadEncoder) -> Iterator[Searcher]:
        """With the encoder of the model that the index was made with."""
        weights = None if self.weights is None else read_weights(self.weights)
        with self.index() as index:
            searcher = Searcher(index, load(index.record.embedding.model), weights=weights)
            searcher.use(open_store(self.settings).documents.read_all())
            yield searcher

    def changed(self, assignments: Sequence[str]) -> Configuration:
        """As this one, with some of it otherwise: ``generation=000001-abc``, ``weights=FILE``, ``collection=other``,
        ``data_dir=DIR``, ``qdrant_url=URL``.

        Raises:
            ConfigurationError: an assignment is none of these.
        """
        values: dict[str, Any] = {}
        for assignment in assignments:
            name, equals, value = assignment.partition("=")
            if not equals or not value or name not in (*_OF_INDEX, *_OWN):
                known = ", ".join(f"{name}=" for name in (*_OF_INDEX, *_OWN))
                raise ConfigurationError(f"{assignment!r} is neither the JSON of a run nor one of {known}")
            values[name] = value
        changes: dict[str, Any] = {"weights": Path(values.pop("weights"))} if "weights" in values else {}
        if values:  # another index has generations of its own
            changes["generation"] = values.pop("generation", None)
        if "data_dir" in values and "qdrant_url" not in values:
            values["qdrant_url"] = None
        try:
            settings = self.settings.model_validate({**self.settings.model_dump(), **values})
        except ValidationError as error:
            raise ConfigurationError(error.errors()[0]["msg"]) from error
        return replace(self, settings=settings, **changes)


def read_weights(path: Path) -> LegWeights:
    """Weights of legs as a run's JSON has them under ``configuration``.

    Raises:
        ConfigurationError: the file cannot be read, or is not like that.
    """
    try:
        weights = _WEIGHTS.validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"cannot read the weights in {path}: {error}") from error
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        place = ".".join(map(str, wrong["loc"]))
        raise ConfigurationError(f"{path} has no weights of legs: {place}: {wrong['msg']}") from error
    for name, table in {**asdict(weights.words), "image": weights.image}.items():
        legs = LEGS_OF_IMAGES if name == "image" else LEGS_OF_WORDS
        usable = all(isfinite(weight) and weight >= 0 for weight in table.values()) and any(table.values())
        if table.keys() != legs or not usable:
            raise ConfigurationError(
                f"{path}: {name} is to have a weight of 0 or more for each of {', '.join(sorted(legs))}, one above 0"
            )
    if not 0 <= weights.share_of_words <= 1:
        raise ConfigurationError(f"{path}: share_of_words is {weights.share_of_words}, and not from 0 to 1")
    return weights


def described(searcher: Searcher) -> dict[str, Any]:
    """A configuration as a run's JSON tells it."""
    record = searcher.index.record
    return {
        "collection": record.collection,
        "generation": searcher.index.generation,
        "products": searcher.index.count(),
        "model": record.embedding.model,
        "fingerprint": record.embedding.fingerprint,
        "precision": record.embedding.precision,
        "crops_per_image": record.crops_per_image,
        "weights": _WEIGHTS.dump_python(searcher.weights, mode="json"),
    }
