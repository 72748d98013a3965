"""A browser for the tests of pages; without Chromium or playwright they are skipped, and one line says so."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request

Open = Callable[..., "Page"]

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
]


CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


def _missing() -> str:
    absent = [] if find_spec("playwright") else ["the package playwright"]
    absent += [] if Path(CHROMIUM).exists() else ["the program chromium"]
    return f"not tested: pages in a browser, for want of {' and '.join(absent)}" if absent else ""


MISSING = _missing()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if MISSING:
        terminalreporter.write_line(MISSING)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens HTML as a file, and fails the test if a page logs an error, throws one, or asks for anything outside."""
    problems: list[str] = []
    contexts: list[BrowserContext] = []

    def refused(dialog: Dialog) -> None:
        problems.append(dialog.message)
        dialog.dismiss()

    def logged(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            problems.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "about:")):
            problems.append(request.url)

    def opened(html: str, **options: Any) -> Page:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", logged)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", refused)
        page.on("request", asked)
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []
