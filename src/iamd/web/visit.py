"""Visit: one request to a page: who makes it, as far as its cookies tell, and what its form says."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from iamd.auth.identity import ANONYMOUS, Identity
from iamd.call import Call
from iamd.http import HttpRequest, HttpResponse
from iamd.runtime import Runtime
from iamd.services.signin import sessions, steps
from iamd.services.signin.sessions import SignedIn
from iamd.services.signin.steps import Stage, Step
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.web import cookies, responses

HOME = "/_iamd/"
SIGN_IN = "/_iamd/signin"
FORM = "application/x-www-form-urlencoded"
LONGEST_FIELD = 16 * 1024
MAX_FIELDS = 16
CSRF_PURPOSE = "console-csrf"
CSRF = "csrf"


class BadForm(Exception):
    """What was posted is no form of these pages."""


@dataclass(slots=True)
class Visit:
    """A request to a page, made by `visit`."""

    runtime: Runtime
    request: HttpRequest
    form: Mapping[str, str]
    cookies: Mapping[str, str]
    signed_in: SignedIn | None
    step: Step | None
    now: int

    @property
    def origin(self) -> str:
        """The origin that these pages have for this browser (RFC 6454, 4)."""
        return f"{'https' if self.request.secure else 'http'}://{(self.request.header(b'host') or '').lower()}"

    @property
    def host_name(self) -> str:
        """The host without its port."""
        host = (self.request.header(b"host") or "").lower()
        return host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host

    @property
    def csrf_token(self) -> str:
        """What every form must bring along: of who is signed in, or else of who is on the way there."""
        if self.signed_in is not None:
            whose = f"session {self.signed_in.session.access_key_id}"
        else:
            whose = f"step {self.step.id if self.step is not None else ''}"
        key = self.runtime.keyring.derived_key(CSRF_PURPOSE)
        return hmac.digest(key, whose.encode(), "sha256").hex()

    def is_own_form(self) -> bool:
        """Whether a page of iamd's own in this very browser has sent the form.

        SECURITY: WEB-01: all browsers of today send `Origin` with a form; who leaves it out is none.
        """
        if self.signed_in is None and self.step is None:
            return False
        same = (self.request.header(b"origin") or "") == self.origin
        return same and hmac.compare_digest(self.form.get(CSRF, "").encode(), self.csrf_token.encode())

    @property
    def wanted(self) -> str:
        """The page that the person wanted before signing in; the first one when none was."""
        return self.step.page if self.step is not None and self.step.page else HOME

    def to_sign_in(self, page: str) -> HttpResponse:
        """Have the person sign in, and go on to this page then."""
        return self.redirect(SIGN_IN, self.with_step(steps.first(self.now, page)))

    def field(self, name: str) -> str:
        """A field of the form; empty when it is not there."""
        return self.form.get(name, "")

    def call(self, view: Snapshot | Change, identity: Identity = ANONYMOUS) -> Call:
        """What services ask about."""
        runtime = self.runtime
        return Call(
            identity=identity,
            request=self.request,
            service="signin",
            operation="SignIn",
            region=runtime.settings.region,
            now=runtime.clock.seconds(),
            clock=runtime.clock,
            keyring=runtime.keyring,
            store=runtime.store,
            issuers=runtime.issuers,
            issuer_url=runtime.settings.issuer_url,
            workload_seconds=self.runtime.settings.workload_session_seconds,
            view=view,
        )

    def with_step(self, step: Step) -> bytes:
        """The cookie of a step, which is this visit's from now on."""
        self.step = step
        return cookies.written(cookies.STEP, steps.sealed(step, self.runtime.keyring), secure=self.request.secure)

    def with_session(self, sealed: str) -> bytes:
        """The cookie of a session."""
        return cookies.written(cookies.SESSION, sealed, secure=self.request.secure)

    def without(self, name: str) -> bytes:
        """The cookie that takes one away."""
        return cookies.removed(name, secure=self.request.secure)

    def page(
        self, template: str, *, status: int = 200, set_cookies: tuple[bytes, ...] = (), **values: Any
    ) -> HttpResponse:
        """A page, with what every page is told; a cookie that grew old is renewed."""
        renewed = sessions.seen(self.signed_in, self.runtime.keyring, self.now) if self.signed_in is not None else None
        given = (*set_cookies, *((self.with_session(renewed),) if renewed is not None else ()))
        person = self.signed_in.person if self.signed_in is not None else None
        return responses.page(
            self.request,
            template,
            status=status,
            cookies=given,
            csrf=self.csrf_token,
            person=person,
            **values,
        )

    def redirect(self, path: str, *set_cookies: bytes) -> HttpResponse:
        """Go to another page."""
        return responses.redirect(self.request, path, cookies=set_cookies)


def visit(runtime: Runtime, request: HttpRequest, body: bytes) -> Visit:
    """The visit that a request is; BadForm."""
    found = cookies.cookies_of(request)
    now, keyring = runtime.clock.seconds(), runtime.keyring
    view = runtime.store.snapshot()
    session, step = found.get(cookies.SESSION), found.get(cookies.STEP)
    return Visit(
        runtime=runtime,
        request=request,
        form=_form(request, body) if request.method == "POST" else {},
        cookies=found,
        signed_in=sessions.opened(session, view, keyring, now) if session else None,
        step=steps.opened(step, keyring, now) if step else None,
        now=now,
    )


def is_at(step: Step | None, stage: Stage) -> bool:
    """Whether a visit's step is this one."""
    return step is not None and step.stage is stage


def _form(request: HttpRequest, body: bytes) -> dict[str, str]:
    if (request.header(b"content-type") or "").partition(";")[0].strip().lower() != FORM:
        raise BadForm
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise BadForm from None
    found = dict(pairs)
    # What stands there twice could be read as one thing here and as another there.
    if len(found) != len(pairs) or any(len(value) > LONGEST_FIELD or "\0" in value for value in found.values()):
        raise BadForm
    return found
