"""What holds for every test."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

from tests.support.fork_server import shared_python

# What a developer's shell says of StoreLens is not what the tests are about. These two are:
# the server that the index contract is to run on as well, and the demand for a browser.
_KEPT = {"STORELENS_QDRANT_URL", "STORELENS_QDRANT_API_KEY", "STORELENS_REQUIRE_BROWSER"}
for _name in [name for name in os.environ if name.startswith("STORELENS_") and name not in _KEPT]:
    del os.environ[_name]

# Half a minute for each ingest of a test; those of the calibration ask for it.
os.environ["STORELENS_NO_CALIBRATION"] = "1"

# Of networks as small as those of tests, a step takes microseconds, and to share it out among cores that other tests
# take up took milliseconds.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What tests write is in memory where there is some to spare: an index is synced to the disk many times, which takes
# longer than all else that makes a small one.
_IN_MEMORY = Path("/dev/shm")
_ENOUGH = 12 * 2**30  # a whole run takes about eight
if _IN_MEMORY.is_dir() and min(shutil.disk_usage(_IN_MEMORY).free, psutil.virtual_memory().available) > _ENOUGH:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))

# Behaviour is tested here, not time: a shared machine may be slow.
settings.register_profile("storelens", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("storelens")


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands in for ``python`` in ``python -m api``, ``ingest`` and ``evaluation``: see ``fork_server``."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return shared_python(folder, os.getpid())
    return shared_python(folder.parent, os.getppid())


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser. Without one the test is skipped, and failed where STORELENS_REQUIRE_BROWSER is set."""
    # The shell, which has no window to draw, takes half the processor.
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    reason = "there is no Chromium here, so the search page was NOT tested; .ci/run installs it"
    if os.environ.get("STORELENS_REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)
