"""Lambda's part that runs functions: the gateway has decided, the embedded backend holds them, and they run here."""

import asyncio
import random
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from iamd.api_places import Place
from iamd.backend.embedded import BackendDown, EmbeddedBackend
from iamd.errors import Common, CommonError
from iamd.functions import changes, definition, libraries, report, requests, response_streams, variables
from iamd.functions.api_routes import Api
from iamd.functions.apis import Apis
from iamd.functions.asynchronous import Events
from iamd.functions.definition import Function
from iamd.functions.environment import MEGABYTE, Environment, Launch, Result
from iamd.functions.errors import InvalidRuntime, ResourceNotFound
from iamd.functions.logs import LogStream
from iamd.functions.mappings import Mappings
from iamd.functions.packages import Packages
from iamd.functions.pool import Pool, Warm
from iamd.functions.rest_routes import Deployment, RestApi
from iamd.functions.roles import Roles
from iamd.functions.runtime_events import Event, event_of
from iamd.functions.urls import Url, Urls
from iamd.functions.variables import Places
from iamd.gateway.actions import lambda_
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.gateway.invocation import Invocation
from iamd.http import HttpRequest, HttpResponse
from iamd.runtime import Runtime

_PARTS: Final = 7
"""Of a function's ARN, without a version or an alias."""

_ANEW: Final = frozenset({"UpdateFunctionCode", "UpdateFunctionConfiguration", "DeleteFunction"})
"""Operations after which what runs a function is of no use any more."""


_DEPLOYMENTS: Final = 64
"""How many deployments of REST APIs are known, so that the backend need not tell them for each request."""


class Functions:
    """The functions of a server."""

    def __init__(self, runtime: Runtime, embedded: EmbeddedBackend, endpoint: str) -> None:
        self._runtime = runtime
        self._embedded = embedded
        # Functions run in folders of their own, from where a relative one would be another.
        self._folder = runtime.settings.data.absolute() / "functions" / str(runtime.worker)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._packages = Packages(self._folder / "packages")
        self._roles = Roles(runtime)
        self._pool = Pool(self._begin, runtime.settings.functions_concurrency, runtime.clock.timestamp)
        self._endpoint = endpoint
        self._events = Events(runtime, self._roles, self.run)
        self._mappings = Mappings(runtime, embedded, self._roles, self.named, self.run)
        if runtime.worker == 0 and runtime.settings.workers > 1:
            self._mappings.changed()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._urls = Urls(runtime, self._url, self.named, self.run)
        self._apis = Apis(runtime, self._api)
        self._deployments: OrderedDict[str, Deployment] = OrderedDict()

    async def serve_url(self, request: HttpRequest) -> HttpResponse:
        """Answer a request to a function's URL."""
        return await self._urls.serve(request)

    async def serve_api(self, request: HttpRequest, place: Place) -> HttpResponse:
        """Answer a request to an API."""
        return await self._apis.serve(request, place)

    async def _api(self, api_id: str, stage: str) -> Api | RestApi | None:
        known = dict(self._deployments)
        try:
            told = await self._embedded.execute_api(api_id, stage, tuple(known))
        except BackendDown as error:
            raise CommonError(Common.UNAVAILABLE, "The backend is not available.") from error
        if told["http"] is not None:
            return msgspec.convert(told["http"], Api, strict=False)
        if told["rest"] is None:
            return None
        return self._with_deployment(msgspec.convert(told["rest"], RestApi, strict=False), known)

    def _with_deployment(self, api: RestApi, known: Mapping[str, Deployment]) -> RestApi:
        """A REST API with what is deployed to its stage, which is told once."""
        if api.stage is None:
            return api
        deployment = api.stage.deployment or known[api.stage.token]
        self._deployments[deployment.token] = deployment
        self._deployments.move_to_end(deployment.token)
        while len(self._deployments) > _DEPLOYMENTS:
            self._deployments.popitem(last=False)
        return replace(api, stage=replace(api.stage, deployment=deployment))

    async def _url(self, url_id: str) -> Url | None:
        try:
            told = await self._embedded.function_url(url_id)
        except BackendDown as error:
            raise CommonError(Common.UNAVAILABLE, "The backend is not available.") from error
        return msgspec.convert(told, Url) if told is not None else None

    async def invoke(self, invocation: Invocation) -> Answer:
        """Run a function, or have it run later, as a decided request asks."""
        wanted = requests.of(invocation)
        function = await self.named(invocation.account, invocation.region, invocation.name, invocation.qualifier)
        definition.check_runs(function)
        if wanted.kind == "DryRun":
            return requests.dry()
        event = self._event(invocation, wanted, function)
        if wanted.kind == "Event":
            named = partial(self.named, invocation.account, invocation.region, invocation.name, invocation.qualifier)
            self._events.put(event, invocation.qualifier, named, function.account)
            return requests.taken()
        result, log = await self.run(function, event)
        is_stream = invocation.operation.name == "InvokeWithResponseStream"
        answer = response_streams.answer if is_stream else requests.answer
        return answer(result, log, function.version, wants_log=wanted.wants_log)

    def _event(self, invocation: Invocation, wanted: requests.Wanted, function: Function) -> Event:
        qualifier = f":{invocation.qualifier}" if invocation.qualifier is not None else ""
        return event_of(
            invocation.request_id, wanted.content, f"{function.arn}{qualifier}", context=wanted.client_context
        )

    async def named(self, account: str, region: str, name: str, qualifier: str | None) -> Function:
        """The function of this name, with its code at hand; ResourceNotFound when there is none."""
        found = await self._told(account, region, name, qualifier, None)
        if found.routing:
            # AWS: an alias may send part of its invocations to a second version ("Lambda function aliases").
            picked, drawn = None, random.random()  # noqa: S311 - nothing is kept secret by it
            for version, weight in found.routing.items():
                picked = version if picked is None and drawn < weight else picked
                drawn -= weight
            if picked is not None:
                return await self._told(account, region, name, qualifier, picked)
        return found

    async def _told(self, account: str, region: str, name: str, qualifier: str | None, version: str | None) -> Function:
        try:
            told = await self._embedded.function(account, region, name, qualifier, self._packages.digests(), version)
        except BackendDown as error:
            raise CommonError(Common.UNAVAILABLE, "The backend is not available.") from error
        if told is None:
            suffix = f":{qualifier}" if qualifier is not None else ""
            raise ResourceNotFound(f"Function not found: arn:aws:lambda:{region}:{account}:function:{name}{suffix}")
        function = definition.of(told)
        for code in (function.code, *function.layers):
            if code.content is not None:
                await asyncio.to_thread(self._packages.keep, code.digest, code.content)
        # Nobody holds the content any longer than it is needed.
        layers = tuple(replace(layer, content=None) for layer in function.layers)
        return replace(function, code=replace(function.code, content=None), layers=layers)

    async def run(self, function: Function, event: Event) -> tuple[Result, bytes]:
        """Run one invocation, and give its result and its log, which goes to the function's log stream too."""
        result, warm = await self._pool.run(function, event)
        log = report.of(result, event.request_id, function.version, function.memory)
        self.later(warm.stream.write(log))
        return result, log

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something beside the request."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin(self, function: Function) -> Warm:
        """Begin a process that runs a function."""
        session = await self._roles.of_code(function)
        if function.variables and self._runtime.gateway is not None:
            await self._runtime.gateway.check_variables(function.arn, function.role, function.key)
        stream = LogStream(self._runtime, function, session.credentials)
        places = await self._places(function)
        # The environment imports it; the first time takes long enough for other requests to wait.
        await asyncio.to_thread(import_module, "iamd.functions.runtime_api")
        environment = Environment(places.temporary.parent)
        await environment.api.begin()
        server = variables.Server(self._endpoint, function.region)
        told = variables.of(function, places, server, session.credentials, stream.name, environment.api.address)
        launch = Launch(
            words=libraries.words_of(function.handler), folder=places.task, memory=function.memory * MEGABYTE
        )
        await environment.begin(launch, told)
        return Warm(environment, function, session, stream)

    async def _places(self, function: Function) -> Places:
        runtime = self._folder / "runtime"
        try:
            await asyncio.to_thread(libraries.link, runtime)
        except libraries.Missing as error:
            raise InvalidRuntime(f"iamd runs functions with {error}, which is not installed.") from error
        task = await self._packages.unpacked([function.code.digest])
        layers = [layer.digest for layer in function.layers]
        opt = await self._packages.unpacked(layers) if layers else None
        own = Path(tempfile.mkdtemp(dir=self._folder))
        temporary, home = own / "tmp", own / "home"
        temporary.mkdir()
        home.mkdir()
        return Places(task, opt, runtime, temporary, home)

    async def named_with_role(self, asked: Asked) -> tuple[str, str]:
        """The name and the execution role's ARN of the function that a request is about, as it will be after it."""
        given = asked.parameters
        named = given.get("FunctionName") or (await changes.mapping(self._embedded, asked))["FunctionArn"]
        whole, qualifier = lambda_.function_arn(named, given.get("Qualifier"), asked)
        _, _, _, region, account, _, name = whole.split(":")
        return name, given.get("Role") or (await self.named(account, region, name, qualifier)).role

    async def mapped(self, asked: Asked) -> Asked:
        """A request that changes a mapping, with the source of that mapping."""
        source = (await changes.mapping(self._embedded, asked))["EventSourceArn"]
        return replace(asked, parameters={**asked.parameters, "EventSourceArn": source})

    async def check(self, asked: Asked) -> None:
        """What a function is told to do can be done; refused when it can't."""
        await changes.check(self._runtime, self._embedded, asked)

    def changed(self, operation: str, arn: str) -> None:
        """Run a function as it is from now on, and poll what is mapped now."""
        if operation.endswith("EventSourceMapping"):
            # Another process than the first one polls for nobody: the first one looks again by itself.
            if self._runtime.worker == 0:
                self._mappings.changed()
        elif operation in _ANEW:
            self._pool.retire(":".join(arn.split(":")[:_PARTS]))

    async def reset(self) -> None:
        """Begin anew: nothing that ran goes on."""
        await self._mappings.clear()
        await self._events.clear()
        await self._pool.clear()
        await self._apis.clear()
        self._roles.forget()

    async def close(self) -> None:
        """End all processes, and all that waits."""
        await self._mappings.clear()
        await self._events.clear()
        await self._apis.clear()
        await self._pool.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        shutil.rmtree(self._folder, ignore_errors=True)
