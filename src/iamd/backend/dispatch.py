"""Every moto service behind one WSGI application that runs nothing but what a verdict names."""

import logging
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any, Final

from moto.backends import list_of_moto_modules
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores
from moto.moto_server.werkzeug_app import BackendRequest, create_backend_app
from werkzeug.exceptions import MethodNotAllowed, NotFound

from iamd.backend import taken_names, xml_texts
from iamd.backend.replacement import always, replace
from iamd.backend.verdict import FAILED, MISMATCH, NOT_IMPLEMENTED, NOT_TAKEN, Refused, Verdict, decoded

log = logging.getLogger(__name__)

CURRENT: ContextVar[Verdict] = ContextVar("verdict")
"""The verdict on the request that this thread runs."""

_MODULES: Final = {
    "lambda": "awslambda",
}
# SECURITY: iamd alone answers for these, and what is not a service of AWS's is a door of moto's own.
_CLOSED: Final = frozenset(
    {
        "cloudformation", "cloudtrail", "core", "dynamodb_v20111205", "iam", "identitystore", "instance_metadata",
        "moto_api", "moto_proxy", "moto_server", "organizations", "s3bucket_path", "ssoadmin", "sts", "utilities",
    }
)  # fmt: skip
_BODY_PROTOCOLS: Final = frozenset({"query", "ec2", "json", "smithy-rpc-v2-cbor"})
_FORM_PROTOCOLS: Final = frozenset({"query", "ec2"})
# These read the operation out of the path in a way of their own; their routes are compared with the model's instead.
_BY_PATH: Final = frozenset({"batch", "polly", "xray"})
# Functions that moto routes to without its usual dispatch, and the operations that they are.
_FUNCTIONS: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("cognitoidp", "serve_json_web_key"): frozenset({"GetSigningKeys"}),
    ("codedeploy", "list_tags_for_resource"): frozenset({"ListTagsForResource"}),
    ("codedeploy", "tag_resource"): frozenset({"TagResource"}),
    ("codedeploy", "untag_resource"): frozenset({"UntagResource"}),
}
# What is put in place of moto's own before a service is first asked for something.
_MENDED: Final = {
    "apigateway": "iamd.backend.rest_apis",
    "apigatewayv2": "iamd.backend.http_apis",
    "athena": "iamd.backend.deliveries.query_results",
    "autoscaling": "iamd.backend.scaling_groups",
    "batch": "iamd.backend.deliveries.job_logs",
    "cognitoidp": "iamd.backend.user_pools",
    "ec2": "iamd.backend.elastic_compute",
    "ecs": "iamd.backend.clusters",
    "eks": "iamd.backend.kubernetes_clusters",
    "elbv2": "iamd.backend.load_balancers",
    "emr": "iamd.backend.instance_groups",
    "events": "iamd.backend.event_buses",
    "kafka": "iamd.backend.broker_clusters",
    "kms": "iamd.backend.keys",
    "lexv2models": "iamd.backend.bot_aliases",
    "logs": "iamd.backend.log_groups",
    "opensearchserverless": "iamd.backend.search_collections",
    "rds": "iamd.backend.global_databases",
    "redshift": "iamd.backend.warehouse_names",
    "sagemakerruntime": "iamd.backend.deliveries.inference",
    "secretsmanager": "iamd.backend.deliveries.rotation",
    "sns": "iamd.backend.topic_attributes",
    "sqs": "iamd.backend.dead_letters",
    "stepfunctions": "iamd.backend.state_machines",
    "ssm": "iamd.backend.parameters",
    "textract": "iamd.backend.deliveries.textract",
}
_ROUTED: Final = frozenset({"apigateway"})
"""What is mended before moto's routes are read, for there are more of them then."""
_WITH_DRY_RUNS: Final = {
    ("kinesis", "GetRecords"): "DryRun",
    ("kinesis", "GetShardIterator"): "DryRun",
    ("kinesis", "PutRecord"): "DryRun",
    ("kinesis", "PutRecords"): "DryRun",
    ("medialive", "CreateChannel"): "DryRun",
    ("medialive", "UpdateChannel"): "DryRun",
    ("opensearch", "UpdateDomainConfig"): "DryRun",
    ("support", "CreateCase"): "dryRun",
    ("support", "DescribeCases"): "dryRun",
    ("support", "ResolveCase"): "dryRun",
}
"""What moto would carry out although it is only asked about, and what asks; other dry runs are mended elsewhere."""
_DISPATCHERS: Final = frozenset({"dispatch", "bucket_dispatch", "ambiguous_dispatch", "key_dispatch"})
_BY_VERSION: Final = "api_version_elb_backend"


class Request(BackendRequest):
    """A request whose body is read as a form only where the operation's protocol says that it is one."""

    @property
    def want_form_data_parsed(self) -> bool:
        """Tell whether the body is a form: moto would let form fields replace query parameters of S3."""
        verdict = CURRENT.get()
        if verdict.service == "s3":
            return verdict.operation == "PostObject"
        return verdict.protocol in _FORM_PROTOCOLS


class Dispatcher:
    """The WSGI application on the private socket; `boot` names this life of the backend's data."""

    def __init__(self, boot: str) -> None:
        self._boot = boot
        self._apps: dict[str, Callable[..., Iterable[bytes]]] = {}
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Run the request that was decided, or say why not."""
        answer: list[Any] = []
        try:
            verdict = decoded(environ.pop("iamd.headers"), self._boot)
            CURRENT.set(verdict)
            if verdict.protocol in _FORM_PROTOCOLS:
                # A GET has its parameters in the query and says nothing of a kind; moto would take it for JSON.
                environ.setdefault("CONTENT_TYPE", "application/x-www-form-urlencoded")
            pieces = self._app(verdict.service)(environ, lambda *given: answer.append(given))
        except Refused as refused:
            return _refusal(refused, start_response)
        except NotImplementedError as error:
            # moto says so of values of parameters too.
            return _refusal(Refused(NOT_IMPLEMENTED, str(error)), start_response)
        except Exception as error:
            # moto raises whatever its handlers raise; none of it may end the connection or reach the client.
            log.debug("moto failed", exc_info=error)
            return _refusal(Refused(FAILED, type(error).__name__), start_response)
        start_response(*answer[0][:2])
        return pieces

    def _app(self, service: str) -> Callable[..., Iterable[bytes]]:
        app = self._apps.get(service)
        if app is None:
            with self._lock:
                app = self._apps[service] = _application(module_of(service))
        return app


@cache
def module_of(service: str) -> str:
    """Give moto's name of a service of botocore's; Refused when it has none."""
    name = _MODULES.get(service) or service.replace("-", "")
    if name in _CLOSED or name not in list_of_moto_modules():
        raise Refused(NOT_IMPLEMENTED, service)
    return name


def _application(module: str) -> Callable[..., Iterable[bytes]]:
    name: Any = module
    if module in _ROUTED:
        _mend(module)
    app = create_backend_app(name)
    _mend(module)
    app.debug = False
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.request_class = Request
    app.url_map.merge_slashes = False
    app.register_error_handler(NotFound, _not_routed)
    app.register_error_handler(MethodNotAllowed, _not_routed)
    for endpoint, view in app.view_functions.items():
        app.view_functions[endpoint] = _guarded(module, view)
    return app


@cache
def _mend(module: str) -> None:
    # Importing these parts of moto takes long, and most backends never need them.
    taken_names.install(module)
    if module in _MENDED:
        import_module(_MENDED[module]).install()


def _not_routed(error: Exception) -> Any:
    raise Refused(NOT_IMPLEMENTED, "no such route") from error


def _guarded(module: str, view: Any) -> Any:
    name = view.callback.__name__
    if name in _DISPATCHERS or name == _BY_VERSION:
        return view
    operations = _FUNCTIONS.get((module, name), frozenset())

    def checked(**labels: Any) -> Any:
        if CURRENT.get().operation not in operations:
            raise Refused(NOT_IMPLEMENTED, name)
        return view(**labels)

    return checked


def _refusal(refused: Refused, start_response: Callable[..., Any]) -> Iterable[bytes]:
    status = "501 Not Implemented" if refused.kind in {NOT_IMPLEMENTED, NOT_TAKEN} else "500 Internal Server Error"
    start_response(status, [("x-iamd-refused", refused.kind), ("content-type", "text/plain")])
    return [refused.detail.encode()]


def install() -> None:
    """Make moto's dispatch follow the verdict, wherever it would look at the request again by itself."""
    xml_texts.install()
    replace(BaseResponse, "get_current_account", always(lambda _: CURRENT.get().account_id))
    replace(BaseResponse, "get_region_from_url", always(lambda _, _request, _url: CURRENT.get().region))
    replace(BaseResponse, "_get_action", _action_of)
    replace(BaseResponse, "setup_class", _set_up)
    replace(BaseResponse, "call_action", _call)
    replace(BaseResponse, "_get_param", _parameter)


def _action_of(original: Callable[[Any], str]) -> Callable[[Any], str | None]:
    def action(response: Any) -> str | None:
        verdict = CURRENT.get()
        if verdict.service == "s3":
            return original(response)
        if verdict.protocol in _BODY_PROTOCOLS:
            return verdict.operation
        # SECURITY: a path names its operation by itself; `Action` in a query, header or body must not replace it.
        return _routed(response)

    return action


def _set_up(original: Callable[..., None]) -> Callable[..., None]:
    def setup_class(
        response: Any, request: Any, full_url: str | None = None, headers: Any = None, use_raw_body: bool | None = None
    ) -> None:
        original(response, request, full_url, headers, use_raw_body)
        response.querystring = response.data = _own_parameters(response, request)

    return setup_class


def _own_parameters(response: Any, request: Any) -> dict[str, Any]:
    # SECURITY: moto also takes parameters out of JSON text, object data and headers when it finds an `=` there.
    protocol = CURRENT.get().protocol
    if protocol in {"json", "smithy-rpc-v2-cbor"}:
        return {}
    if protocol in _FORM_PROTOCOLS:
        given: dict[str, Any] = response.querystring
        return given if request.form or request.args else {}
    if request.form:
        return dict(response.querystring)
    return {name: list(values) for name, values in request.args.lists()}


def _parameter(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_param(response: Any, param_name: str, if_none: Any = None) -> Any:
        # SECURITY: what the path names cannot be named again by the query or the body.
        if response.uri_match and param_name in response.uri_match and not response.automated_parameter_parsing:
            return response.uri_match[param_name]
        return original(response, param_name, if_none)

    return get_param


def _call(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def call_action(response: Any) -> Any:
        check(response)
        return original(response)

    return call_action


def check(response: Any) -> None:
    """Refuse unless the class, operation, account and region that moto is about to use are those decided."""
    verdict = CURRENT.get()
    module = type(response).__module__.split(".")[1]
    if module != module_of(verdict.service):
        raise Refused(MISMATCH, f"{module} instead of {verdict.service}")
    if response.current_account != verdict.account_id or response.region != verdict.region:
        raise Refused(MISMATCH, "account or region")
    _check_operation(response, verdict, module)


def _check_operation(response: Any, verdict: Verdict, module: str) -> None:
    picked = response._get_action()  # noqa: SLF001 - what moto's own dispatch is about to use
    named = _routed(response) if module in _BY_PATH else picked
    if named != verdict.operation:
        raise Refused(MISMATCH, f"{named} instead of {verdict.operation}")
    if not hasattr(type(response), camelcase_to_underscores(picked)):
        raise Refused(NOT_IMPLEMENTED, verdict.operation)
    asks = _WITH_DRY_RUNS.get((verdict.service, verdict.operation))
    if asks is not None and response._get_param(asks):  # noqa: SLF001 - moto's responses have no other way
        raise Refused(NOT_IMPLEMENTED, f"a dry run of {verdict.operation}")


def _routed(response: Any) -> str | None:
    """The operation that method and path name by the service's model."""
    named: str | None = response._get_action_from_method_and_request_uri(  # noqa: SLF001 - moto's own router
        response.normalized_request
    )
    return named
