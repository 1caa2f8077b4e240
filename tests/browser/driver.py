"""The browser driver: Playwright, which drives the Chromium that is installed and never downloads one."""

from __future__ import annotations

import os
from datetime import datetime
from importlib.util import find_spec

import pytest

if not all(map(find_spec, ("playwright", "axe_playwright_python"))) and not os.environ.get("STORELENS_REQUIRE_BROWSER"):
    pytest.skip(
        "the browser driver is not here, so the search page was NOT tested; `pip install --group dev` installs it",
        allow_module_level=True,
    )

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Route,
    expect,
    sync_playwright,
)

__all__ = [
    "ARGUMENTS",
    "Axe",
    "Browser",
    "BrowserContext",
    "ConsoleMessage",
    "Locator",
    "Page",
    "Request",
    "Route",
    "expect",
    "stop_the_clock",
    "sync_playwright",
]

ARGUMENTS = [
    "--no-sandbox",  # CI runs as root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=20_000)


def stop_the_clock(page: Page) -> None:
    """From now on the page's time stands still but for ``page.clock.run_for``, however slow the machine is."""
    page.clock.install(time=datetime(2026, 1, 1))
    page.clock.pause_at(datetime(2026, 1, 2))
