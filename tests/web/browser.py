"""A browser as far as forms and cookies go: pages are read as HTML, forms are sent as browsers send them."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from lxml import html


@dataclass
class Browser:
    """One browser with cookies of its own, on one page at a time."""

    endpoint: str
    headers: dict[str, str] = field(default_factory=dict)
    origin: str | None = None

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.endpoint, headers=self.headers, timeout=30, trust_env=False)
        self.answer: Any = None
        self.copies: list[Browser] = []

    def get(self, path: str) -> "Browser":
        """Go to a page."""
        return self._follow(self.http.get(path))

    def submit(self, action: str, **fields: str) -> "Browser":
        """Send the form of the page that has this action, with what is hidden in it."""
        form = next(form for form in self.document.forms if form.action == action)
        hidden = {name: value or "" for name, value in form.form_values()}
        return self.post(action, hidden | fields)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> "Browser":
        """Send a form, with an Origin as browsers give it."""
        given = {"Origin": self.origin or self.endpoint} | headers
        return self._follow(self.http.post(path, data=fields, headers=given))

    def sign_in(self, account: str, user_name: str, password: str) -> "Browser":
        """Fill in the sign-in page, up to whatever comes after it."""
        self.get("/_iamd/signin")
        return self.submit("/_iamd/signin", account=account, user_name=user_name, password=password)

    def sign_in_as_root(self, email: str, password: str) -> "Browser":
        """The same for a root user."""
        self.get("/_iamd/signin?root")
        return self.submit("/_iamd/signin", email=email, password=password)

    def copy(self) -> "Browser":
        """Somebody who has got hold of the cookies."""
        other = Browser(self.endpoint, self.headers, self.origin)
        other.http.cookies.update(self.http.cookies)
        self.copies.append(other)
        return other

    def _follow(self, answer: httpx.Response) -> "Browser":
        while answer.status_code == 303:
            assert answer.headers["location"].startswith("/_iamd/")
            answer = self.http.get(answer.headers["location"])
        self.answer = answer
        return self

    @property
    def document(self) -> Any:
        """The page."""
        return html.fromstring(self.answer.text)

    @property
    def path(self) -> str:
        """Where the browser is."""
        return str(self.answer.request.url.path)

    @property
    def title(self) -> str:
        """The page's heading."""
        return str(self.document.findtext(".//h1"))

    @property
    def error(self) -> str | None:
        """What the page complains of."""
        found = self.document.xpath("//p[@role='alert' and not(@hidden)]")
        return found[0].text_content() if found else None

    @property
    def text(self) -> str:
        """What stands on the page."""
        return " ".join(" ".join(self.document.find(".//main").itertext()).split())

    @property
    def is_signed_in(self) -> bool:
        """Whether the cookies are those of a session that is good now."""
        return self.http.get("/_iamd/").status_code == 200

    def close(self) -> None:
        """Close it, and its copies."""
        for other in self.copies:
            other.close()
        self.http.close()
