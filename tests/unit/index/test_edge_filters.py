from __future__ import annotations

import pytest
from qdrant_client import models

from index.edge.filters import to_edge


def test_what_has_no_translation_is_refused() -> None:
    inside = models.FieldCondition(
        key="place", geo_radius=models.GeoRadius(center=models.GeoPoint(lon=0, lat=0), radius=1)
    )
    with pytest.raises(TypeError, match="no translation for Qdrant Edge"):
        to_edge(models.Filter(must=[inside]))
