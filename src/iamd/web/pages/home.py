"""The page that says who is signed in, and the end of a session."""

from datetime import UTC, datetime

from iamd.http import HttpResponse
from iamd.services.iam import mfa_devices
from iamd.services.signin import sessions
from iamd.store.change import Change
from iamd.web import cookies
from iamd.web.visit import SIGN_IN, Visit


async def show(visit: Visit) -> HttpResponse:
    """Who one is."""
    found = visit.signed_in
    if found is None:
        return visit.redirect(SIGN_IN)
    person, session = found.person, found.session
    devices = mfa_devices.devices_of(visit.call(visit.runtime.store.snapshot(), found.identity), person.user)
    return visit.page(
        "home.html",
        arn=found.identity.arn,
        alias=person.record.alias,
        account_id=person.account.id,
        since=_legible(session.issued),
        until=_legible(session.expires),
        with_mfa=session.mfa_time is not None,
        has_mfa=bool(devices),
    )


async def sign_out(visit: Visit) -> HttpResponse:
    """End the session, in every worker."""
    found = visit.signed_in
    if found is not None:

        def work(change: Change) -> None:
            now = visit.runtime.clock.seconds()
            still = sessions.opened(visit.cookies[cookies.SESSION], change, visit.runtime.keyring, now)
            if still is not None:
                sessions.end(visit.call(change), still.person, still.session.access_key_id)

        await visit.runtime.store.written(work)
    return visit.redirect(SIGN_IN, visit.without(cookies.SESSION), visit.without(cookies.STEP))


def _legible(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
