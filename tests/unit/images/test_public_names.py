from __future__ import annotations

import subprocess
import sys

import catalog


def test_the_room_exports_what_it_says() -> None:
    assert sorted(catalog.__all__) == sorted(set(catalog.__all__))
    assert all(getattr(catalog, name) is not None for name in catalog.__all__)


def test_importing_the_room_loads_no_model_and_no_engine() -> None:
    program = "import sys, catalog, images, demo.drawn; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    for heavy in ("torch", "sentence_transformers", "transformers", "qdrant_client", "qdrant_edge", "pyarrow"):
        assert repr(heavy) not in loaded
