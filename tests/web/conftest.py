"""Browsers, and people who sign in with them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from services.iam.world import Devices
from web.browser import Browser

PASSWORD = "Correct-horse-1"
ALIAS = "acme"


@pytest.fixture
def iam(aws: Any) -> Any:
    """IAM as the account's administrator calls it."""
    return aws.client("iam")


@pytest.fixture
def devices(iam: Any) -> Devices:
    """Virtual MFA devices in somebody's pocket."""
    return Devices(iam)


@pytest.fixture
def open_browser(aws: Any) -> Iterator[Callable[..., Browser]]:
    """`open_browser()` gives one with cookies of its own."""
    opened: list[Browser] = []

    def opening(endpoint: str | None = None, **settings: Any) -> Browser:
        opened.append(Browser(endpoint or aws.endpoint, **settings))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()


@pytest.fixture
def browser(open_browser: Callable[..., Browser]) -> Browser:
    """A browser."""
    return open_browser()


@pytest.fixture
def ann(iam: Any) -> str:
    """A user with a password, in an account with an alias."""
    iam.create_account_alias(AccountAlias=ALIAS)
    iam.create_user(UserName="ann", Path="/team/")
    iam.create_login_profile(UserName="ann", Password=PASSWORD)
    return "ann"


@pytest.fixture
def root(aws: Any) -> str:
    """The e-mail address of a root user with a password."""
    email = "root@example.com"
    aws.iamd("SetRootPassword", Email=email, Password=PASSWORD)
    return email


@pytest.fixture
def enter(browser: Browser, ann: str) -> Callable[..., Browser]:
    """`enter()` signs ann in; with another password it tries to."""

    def entering(password: str = PASSWORD, *, into: Browser | None = None) -> Browser:
        return (into or browser).sign_in(ALIAS, ann, password)

    return entering
