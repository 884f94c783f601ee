"""APIs of API Gateway: requests over HTTP, each answered as its kind of API does.

An API is `/_iamd/execute-api/ID` at the address that the client used, or all of a host of its own,
`ID.execute-api.REGION.amazonaws.com`, for those who have that name lead here: by itself it leads to AWS.
"""

import logging
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from iamd import sandbox
from iamd.api_places import Place
from iamd.errors import CommonError
from iamd.functions import http_apis, rest_apis
from iamd.functions.api_answers import Refusal, broken
from iamd.functions.api_calls import Calls
from iamd.functions.api_routes import Api
from iamd.functions.http_apis import HttpApis
from iamd.functions.rest_apis import RestApis
from iamd.functions.rest_routes import RestApi
from iamd.http import HttpRequest, HttpResponse
from iamd.runtime import Runtime
from iamd.store.errors import Unavailable

log = logging.getLogger(__name__)

Find = Callable[[str, str], Awaitable[Api | RestApi | None]]
"""Finds an API by its id, and of a REST API the stage of this name."""


class Apis:
    """The APIs of one process."""

    def __init__(self, runtime: Runtime, find: Find) -> None:
        self._find = find
        self._calls = Calls(runtime)
        self._http = HttpApis(runtime, self._calls)
        self._rest = RestApis(runtime, self._calls)

    async def clear(self) -> None:
        """Begin anew: nothing is waited for, and nothing known of before is used."""
        self._http.clear()
        self._rest.clear()
        await self._calls.clear()

    async def serve(self, request: HttpRequest, place: Place) -> HttpResponse:
        """Answer a request to an API; whatever happens, it is recorded once it is known which API it is."""
        named = http_apis.REQUEST_ID
        try:
            api = await self._find(place.id, place.first)
            if place.host is not None and not _is_at(api, place):
                api, named = None, rest_apis.REQUEST_ID
                raise rest_apis.forbidden("No API is at this host.")
            if isinstance(api, RestApi):
                named = rest_apis.REQUEST_ID
                answer = await self._rest.answered(request, api, place)
            else:
                answer = await self._http.answered(request, api, place)
        except Refusal as refusal:
            answer = refusal.answer()
        except CommonError as error:
            answer = Refusal(503, error.message).answer()
        except Unavailable:
            raise
        except Exception:
            log.exception("request %s failed", request.id)
            answer = broken("The request failed.").answer()
        headers = [*(pair for pair in answer.headers if pair[0] != named), (named, request.id.encode())]
        return replace(answer, headers=sandbox.shown(request, headers))


def _is_at(api: Api | RestApi | None, place: Place) -> bool:
    """Whether an API is at the host that names it, which may tell its Region."""
    return api is not None and place.host is not None and place.host.region in {None, api.region}
