"""The record of the index that a job is to make: its model, its fields, and how its images are embedded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from images import WHOLE, WITH_CROPS
from ingest.catalog import Catalog
from ingest.settings import IngestSettings
from labels import predicted_fields
from schemas import MAX_FIELDS, ConfigurationError, EmbeddingSpec, IndexRecord


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


def with_label_sets(record: IndexRecord, names: Sequence[str]) -> IndexRecord:
    """The record of an index that has the fields of these label sets as well.

    Raises ConfigurationError where they are too many.
    """
    fields = dict(record.fields)
    for name in names:
        fields |= predicted_fields(name)
    if len(fields) > MAX_FIELDS and len(fields) > len(record.fields):
        raise ConfigurationError(f"an index has {MAX_FIELDS} fields at most, and no room for those of a label set")
    return record.model_copy(update={"fields": fields, "updated": datetime.now(UTC)})


def refuse_another_index(served: IndexRecord | None, record: IndexRecord) -> None:
    """Rejected rows are part of a catalog: a new index of them alone must not take the place of the whole one.

    Raises ConfigurationError.
    """
    if served and (differences := served.differences(record)):
        raise ConfigurationError(
            f"the index was made otherwise ({', '.join(differences)}), and one of these rows alone would take its "
            "place; leave out --model and --crops, and they are as the index has them"
        )
