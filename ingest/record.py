"""The record of the index that a job is to make: its model, its fields, and how its images are embedded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from images import WHOLE, WITH_CROPS
from ingest.catalog import Catalog
from ingest.settings import IngestSettings
from labels import predicted_fields, with_label_sets
from schemas import ConfigurationError, EmbeddingSpec, IndexRecord


def record_of(
    settings: IngestSettings,
    catalog: Catalog,
    spec: EmbeddingSpec,
    served: IndexRecord | None,
    label_sets: Sequence[str],
) -> IndexRecord:
    """What the index is to be; how long its texts are, on average, the first pass will tell."""
    if settings.crops is None:
        crops_per_image = served.crops_per_image if served else WHOLE
    else:
        crops_per_image = WITH_CROPS if settings.crops else WHOLE
    now = datetime.now(UTC)
    for name in label_sets:
        if taken := predicted_fields(name).keys() & catalog.kinds.keys():
            raise ConfigurationError(f"the catalog has a field {min(taken)!r} of its own; name the label set otherwise")
    record = IndexRecord(
        collection=settings.collection,
        embedding=spec,
        crops_per_image=crops_per_image,
        fields=catalog.kinds,
        mapping=catalog.remembered,
        average_words=1.0,
        created=now,
        updated=now,
    )
    return with_label_sets(record, label_sets)


def refuse_another_index(served: IndexRecord | None, record: IndexRecord) -> None:
    """Rejected rows are part of a catalog: a new index of them alone must not take the place of the whole one.

    Raises ConfigurationError.
    """
    if served and (differences := served.differences(record)):
        raise ConfigurationError(
            f"the index was made otherwise ({', '.join(differences)}), and one of these rows alone would take its "
            "place; leave out --model and --crops, and they are as the index has them"
        )
