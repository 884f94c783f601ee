"""A `[backends.<name>]` table of iamd.toml, the presets that it may begin with, and which of its keys go together."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from iamd.arn import REGION
from iamd.wrong_settings import SettingsError, suggestion

Addressing = Literal["as-sent", "path", "virtual"]
BucketPolicies = Literal["forward", "keep"]

ACCOUNT: Final = "{account}"
"""What stands in a template for the number of the account that a resource belongs to."""
ENDPOINT: Final = "{endpoint}"
"""What stands in a URL for the host that AWS serves a service at, in a Region."""


class AccountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What signs for one of iamd's accounts."""

    access_key_id: str | None = None
    """What signs for the account."""
    secret_access_key: str | None = None
    """Secret of that access key."""
    session_token: str | None = None
    """Session token of that access key, when it is temporary."""
    credentials_file: str | None = None
    """File of credentials in place of an access key."""
    profile: str | None = None
    """Profile in that file."""
    account: str | None = None
    """Number of the account there, where it is another; for buckets alone, whose ARNs have none."""


class BackendSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A `[backends.<name>]` table of iamd.toml: where requests of some services go, and how they are signed."""

    url: str
    """Where it is: `http://host:port` or `https://host:port`, without a path."""
    preset: str | None = None
    """A kind of server whose keys this table begins with: see "Presets" below."""
    services: tuple[str, ...] = ()
    """The services it answers for, by botocore's names; none named means all."""
    only_accounts: tuple[str, ...] = ()
    """The accounts whose resources it holds; none named means all."""
    only_regions: tuple[str, ...] = ()
    """The Regions that it holds; none named means all."""
    access_key_id: str | None = None
    """What signs requests there; without it they go unsigned. `{account}` in it stands for the resource's account."""
    secret_access_key: str | None = None
    """Secret of that access key; both or neither are given."""
    session_token: str | None = None
    """Session token of that access key, when it is temporary."""
    credentials_file: str | None = None
    """File of credentials in the AWS CLI's form, in place of an access key; it is read again when it changes."""
    profile: str | None = None
    """Profile in that file; the default is `default`, or the only one that it has."""
    unsigned: bool = False
    """Whether requests go unsigned although a preset has an access key."""
    accounts: Mapping[str, AccountSettings] = {}
    """What signs for each of iamd's accounts, by its number; requests for other accounts' resources are refused."""
    headers: Mapping[str, str] = {}
    """Headers that every request there gets. `{account}` in a value stands for the resource's account."""
    region: str | None = None
    """Region that requests are signed for there; the default is the client's."""
    account: str | None = None
    """Account that owns what is found there; without one, buckets that were not made through iamd are refused."""
    bucket_policies: BucketPolicies = "forward"
    """`keep`: iamd keeps buckets' policies itself, for a backend without them, or that does not know who is in them."""
    ca_file: str | None = None
    """File of the certificates that `https` is checked by, read again when it changes; the default is the system's."""
    connect_to: str | None = None
    """Address that connections go to in place of the URL's, as `host:port`: a tunnel or a VPC endpoint."""
    addressing: Addressing = "as-sent"
    """Where buckets stand in requests: in the `path`, in the host (`virtual`), or where the client has put them."""
    base_path: str = ""
    """What stands before every path there, as `/storage`."""
    connect_seconds: float | None = None
    """Longest wait for a connection; the default is `backend_connect_seconds`."""
    response_seconds: float | None = None
    """Longest wait for an answer to begin; the default is `backend_response_seconds`."""
    idle_seconds: float | None = None
    """Longest silence within a body; the default is `backend_idle_seconds`."""
    retries: int = 1
    """How often a request is sent again that may be: one that never arrived, or that does no more when repeated."""
    breaker_failures: int = 5
    """After how many failures in a row it is left alone for a while, and requests are answered 503; 0 for never."""
    breaker_seconds: float = 10.0
    """How long that while is; then one request may try."""
    health_path: str | None = None
    """Path that tells whether it is well; without one only the requests do."""
    health_seconds: float = 10.0
    """How often that path is asked."""

    @property
    def by_account(self) -> bool:
        """Whether the backend is told which account a request is for."""
        templates = (self.access_key_id or "", *self.headers.values())
        return bool(self.accounts) or any(ACCOUNT in text for text in templates)


RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "connect_seconds": (0.01, 3600),
    "response_seconds": (0.01, 86400),
    "idle_seconds": (0.01, 86400),
    "retries": (0, 5),
    "breaker_failures": (0, 1000),
    "breaker_seconds": (0.01, 3600),
    "health_seconds": (0.1, 3600),
}
"""The least and the most that a number may be."""


@cache
def presets() -> Mapping[str, Mapping[str, Any]]:
    """The presets by name: keys of a table, and `about`, which says what it is in a sentence."""
    # Imported here: a server without presets holds nothing that reads them.
    import tomllib  # noqa: PLC0415

    text = resources.files("iamd.gateway").joinpath("presets.toml").read_text("utf-8")
    return tomllib.loads(text)


def with_preset(name: str, table: Any) -> Any:
    """The table with the keys of its preset that it does not have itself; SettingsError when there is none such."""
    chosen = table.get("preset") if isinstance(table, Mapping) else None
    if not isinstance(chosen, str):
        return table
    found = presets().get(chosen)
    if found is None:
        known = sorted(presets())
        near = suggestion(chosen, known) or f"; there are {', '.join(known)}"
        raise SettingsError(f"unknown preset `{chosen}` of backend `{name}`{near}")
    begun = {key: value for key, value in found.items() if key != "about"}
    if table.keys() & {"access_key_id", "credentials_file", "accounts"} or table.get("unsigned") is True:
        begun = {key: value for key, value in begun.items() if key not in _CREDENTIALS}
    return {**begun, **table}


_CREDENTIALS: Final = frozenset({"access_key_id", "secret_access_key", "session_token", "credentials_file", "profile"})


def check(name: str, table: BackendSettings) -> None:
    """SettingsError for a table whose keys say what can't be."""
    _check_place(name, table)
    _check_selection(name, table)
    _check_credentials(name, table)
    for key, (least, most) in RANGES.items():
        value = getattr(table, key)
        if value is not None and not least <= value <= most:
            raise _wrong(name, key, f"{least} to {most}, got `{value}`")


def _check_place(name: str, table: BackendSettings) -> None:
    if not is_url(table.url.replace(ENDPOINT, "aws")) or (ENDPOINT in table.url and table.url != _OF_AWS):
        raise _wrong(name, "url", f"`http://host:port`, got `{table.url}`")
    if table.region is not None and not REGION.fullmatch(table.region):
        raise _wrong(name, "region", "a region as `us-east-1`")
    if table.ca_file is not None and not _path(table.ca_file).is_file():
        raise _wrong(name, "ca_file", f"there is no file `{table.ca_file}`")
    if table.connect_to is not None and not _ADDRESS.fullmatch(table.connect_to):
        raise _wrong(name, "connect_to", f"`host:port`, got `{table.connect_to}`")
    for key in ("base_path", "health_path"):
        value = getattr(table, key)
        if value and not _PATH.fullmatch(value):
            raise _wrong(name, key, f"a path as `/storage`, got `{value}`")
    if table.health_path is not None and ENDPOINT in table.url:
        raise _wrong(name, "health_path", "AWS's endpoints have none")
    for header, value in table.headers.items():
        if not _HEADER.fullmatch(header) or header in _NOT_GIVEN or not _VALUE.fullmatch(value):
            raise _wrong(name, "headers", f"names in lower case with values of one line, got `{header}`")


_OF_AWS: Final = f"https://{ENDPOINT}"
_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):[1-9][0-9]{0,4}", re.ASCII)
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)+", re.ASCII)
_HEADER: Final = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_VALUE: Final = re.compile(r"[!-~]([ -~]*[!-~])?")
# Made by iamd itself, for each request.
_NOT_GIVEN: Final = frozenset({"authorization", "connection", "content-length", "host", "transfer-encoding"})
_NUMBER: Final = re.compile(r"[0-9]{12}", re.ASCII)


def _check_selection(name: str, table: BackendSettings) -> None:
    for key, numbers in (("only_accounts", table.only_accounts), ("accounts", tuple(table.accounts))):
        for number in numbers:
            if not _NUMBER.fullmatch(number):
                raise _wrong(name, key, f"an account number has 12 digits, got `{number}`")
    if table.account is not None and not _NUMBER.fullmatch(table.account):
        raise _wrong(name, "account", f"an account number has 12 digits, got `{table.account}`")
    for region in table.only_regions:
        if not REGION.fullmatch(region):
            raise _wrong(name, "only_regions", f"a region as `us-east-1`, got `{region}`")


def _check_credentials(name: str, table: BackendSettings) -> None:
    _check_login(f"backend `{name}`", table)
    if table.unsigned and (table.access_key_id or table.credentials_file or table.accounts):
        raise SettingsError(f"backend `{name}` has credentials and is `unsigned`: give one of them")
    if table.accounts and (table.access_key_id or table.credentials_file):
        raise SettingsError(f"backend `{name}` has credentials for all accounts and `accounts`: give one of them")
    for number, login in table.accounts.items():
        _check_login(f"account `{number}` of backend `{name}`", login)
        if not login.access_key_id and not login.credentials_file:
            raise SettingsError(f"account `{number}` of backend `{name}` has no `access_key_id` or `credentials_file`")
        # SECURITY: answers would name the account by a number that no policy of iamd's means.
        if login.account not in {None, number} and table.services != ("s3",):
            raise SettingsError(
                f"account `{number}` of backend `{name}` is `{login.account}` there: ARNs would have that number, so "
                'give iamd\'s account the same one (`iamd account add --id`); only `services = ["s3"]` need not'
            )


def _check_login(what: str, table: BackendSettings | AccountSettings) -> None:
    if (table.access_key_id is None) != (table.secret_access_key is None):
        raise SettingsError(f"give both `access_key_id` and `secret_access_key` of {what}, or neither")
    if table.credentials_file is not None and table.access_key_id is not None:
        raise SettingsError(f"give `access_key_id` or `credentials_file` of {what}, not both")
    if table.profile is not None and table.credentials_file is None:
        raise SettingsError(f"`profile` of {what} is one of a `credentials_file`: give that too")


def check_together(tables: Mapping[str, BackendSettings]) -> None:
    """SettingsError when it is not plain which of two tables a request belongs to."""
    named = list(tables.items())
    for index, (name, table) in enumerate(named):
        for other_name, other in named[index + 1 :]:
            shared = _shared(table, other)
            if shared is not None and not (is_within(table, other) or is_within(other, table)):
                raise SettingsError(f"backends `{name}` and `{other_name}` both answer for {shared}")


def is_within(one: BackendSettings, other: BackendSettings) -> bool:
    """Whether a table is for less than another, which is for all that it is for."""
    pairs = list(zip(selection(one), selection(other), strict=True))
    narrower = all(not wide or (narrow and set(narrow) <= set(wide)) for narrow, wide in pairs)
    return narrower and any(set(narrow) != set(wide) for narrow, wide in pairs)


def selection(table: BackendSettings) -> tuple[tuple[str, ...], ...]:
    """What a table is for: services, accounts, Regions; nothing named is everything."""
    return table.services, table.only_accounts, table.only_regions


def _shared(one: BackendSettings, other: BackendSettings) -> str | None:
    """What both tables are for, in words; None when no request could be for both."""
    words = []
    for kind, (mine, theirs) in zip(_KINDS, zip(selection(one), selection(other), strict=True), strict=True):
        common = set(mine) & set(theirs) if mine and theirs else set(mine or theirs)
        if (mine or theirs) and not common:
            return None
        if common:
            words.append(f"{kind} `{min(common)}`")
    return " in ".join(words) or "all other services"


_KINDS: Final = ("service", "account", "Region")


def _wrong(name: str, key: str, words: str) -> SettingsError:
    return SettingsError(f"wrong value for `backends.{name}.{key}`: {words}")


def _path(text: str) -> Path:
    return Path(text).expanduser()


def is_url(text: str) -> bool:
    """Whether a text is `http://host:port` or `https://host:port`."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username or parts.path.strip("/"))
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain and port != 0
