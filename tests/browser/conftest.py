"""A browser, a service to look at, and pages that are watched for errors and for requests to elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.service import ROOT, Catalog, ingest_drawn, serve

if TYPE_CHECKING:
    from tests.browser.driver import Browser, BrowserContext, ConsoleMessage, Page, Request

ARTIFACTS = ROOT / "tests" / "artifacts"

OpenPage = Callable[..., "Page"]


@pytest.fixture(scope="session")
def catalog(chromium: str, python: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Asks for Chromium first: without one, nothing is ingested in vain."""
    return ingest_drawn(python, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="session")
def address(catalog: Catalog, python: Path) -> Iterator[str]:
    with serve(python, catalog.data) as address:
        yield address


# Not of the session: playwright keeps a loop running, and other tests of this process have loops of their own.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    from tests.browser.driver import ARGUMENTS, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[OpenPage]:
    """``open_page("/?q=red", fails=True, **context)``: a page of its own context.

    The test fails when the page asks another host, or when a script fails, or, unless it is a page
    that ``fails``, when the console says so.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def watch_request(request: Request, at: str) -> None:
        if not request.url.startswith((at, "data:", "blob:")):
            complaints.append(f"asked elsewhere: {request.url}")

    def watch_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text}")

    def open_page(path: str = "/", *, at: str = address, fails: bool = False, **options: Any) -> Page:
        context = browser.new_context(viewport=options.pop("viewport", {"width": 1366, "height": 900}), **options)
        contexts.append(context)
        page = context.new_page()
        context.on("request", lambda request: watch_request(request, at))
        page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
        if not fails:
            page.on("console", watch_console)
        page.goto(at + path)
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            page.unroute_all(behavior="ignoreErrors")  # answers that are still being made are for nobody
        context.close()
    assert complaints == []


@pytest.fixture
def open_file(browser: Browser) -> Iterator[OpenPage]:
    """``open_file(path, **context)``: a page from the disk, in a context of its own.

    The test fails when the page asks for anything but itself, or the console says anything.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_file(path: Path, **options: Any) -> Page:
        address = path.as_uri()

        def watch_request(request: Request) -> None:
            if not request.url.startswith(("data:", address)):
                complaints.append(request.url)

        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", watch_request)
        page.goto(address)
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def keep() -> Callable[[Page, str], Path]:
    """Saves a screenshot among the artifacts, which git ignores."""

    def keep(page: Page, name: str) -> Path:
        ARTIFACTS.mkdir(exist_ok=True)
        path = ARTIFACTS / f"{name}.png"
        page.wait_for_load_state("networkidle")
        page.screenshot(path=path)
        return path

    return keep
