"""Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "google-chrome-stable")


def executable() -> str:
    """Where Chromium is; the test is skipped where there is none and none can be installed."""
    for name in NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    pytest.skip("no Chromium is here, and `make venv-test` could not install Debian's chromium-headless-shell")


@contextmanager
def running() -> Iterator[Browser]:
    """A browser; starting one costs more than a test."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, endpoint: str, **settings: Any) -> Iterator[Page]:
    """A page with cookies and keys of its own, at `localhost`: security keys are for names, not for addresses."""
    base_url = endpoint.replace("127.0.0.1", "localhost")
    with browser.new_context(base_url=base_url, **settings) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
        yield page
        assert complaints == []


def is_complaint(message: Any) -> bool:
    """Whether the browser complains of a page, as of what its policy forbids; that a form was refused is none."""
    return message.type in {"error", "warning"} and "status of 403" not in message.text


class SecurityKeys:
    """Virtual security keys that are plugged into the browser (Chrome DevTools Protocol, WebAuthn)."""

    def __init__(self, page: Page) -> None:
        self.devtools = page.context.new_cdp_session(page)
        self.devtools.send("WebAuthn.enable")

    def plug_in(self) -> str:
        """One more key that answers whenever it is asked."""
        options = {
            "protocol": "ctap2",
            "transport": "usb",
            "hasResidentKey": False,
            "hasUserVerification": False,
            "isUserVerified": False,
            "automaticPresenceSimulation": True,
        }
        return str(self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"])

    def pull_out(self, key: str) -> None:
        """The key is gone."""
        self.devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": key})

    def credentials(self, key: str) -> list[dict[str, Any]]:
        """What the key holds."""
        found: list[dict[str, Any]] = self.devtools.send("WebAuthn.getCredentials", {"authenticatorId": key})[
            "credentials"
        ]
        return found

    def put(self, key: str, credential: dict[str, Any]) -> None:
        """Have a key hold this, as a copy of another would."""
        self.devtools.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": credential})
