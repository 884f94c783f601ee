"""Logins: what signs for a backend, by the account that a resource belongs to, and which accounts it holds."""

from dataclasses import dataclass
from typing import Final

from iamd.backend_settings import ACCOUNT, AccountSettings, BackendSettings
from iamd.errors import Common, CommonError
from iamd.gateway.credentials_file import Credentials, CredentialsFile, NotReadableError
from iamd.http import Headers

_WITHOUT_ACCOUNTS: Final = "s3"
"""The one service whose resources are named without their account: iamd keeps whose each bucket is."""
_EXPECTED_OWNER: Final = frozenset({b"x-amz-expected-bucket-owner", b"x-amz-source-expected-bucket-owner"})


class BackendUnavailable(CommonError):
    """The backend cannot be reached: 503."""

    status = 503


@dataclass(frozen=True, slots=True)
class Login:
    """How a request is sent for one account."""

    credentials: Credentials | CredentialsFile | None
    headers: Headers = ()

    def current(self) -> Credentials | None:
        """What signs now; None when nothing does."""
        if not isinstance(self.credentials, CredentialsFile):
            return self.credentials
        try:
            return self.credentials.current()
        except NotReadableError as error:
            # SECURITY: without its keys a request does not go out unsigned instead.
            raise BackendUnavailable(Common.UNAVAILABLE, "The backend's credentials cannot be read.") from error


class Logins:
    """The logins of one backend. `holder` is the account whose resources it has when it knows of none."""

    def __init__(self, table: BackendSettings, holder: str) -> None:
        self._table = table
        self._holder = holder
        self._files: dict[tuple[str, str | None], CredentialsFile] = {}
        self._made: dict[str, Login] = {}
        self.is_shared: Final = not table.by_account
        """Whether buckets of all accounts stand side by side there."""
        is_renamed = self.is_shared or any(login.account for login in table.accounts.values())
        self._not_passed: Final = frozenset(name.encode() for name in table.headers)
        # iamd has checked the owner that the client expects.
        self._not_passed_to_s3: Final = self._not_passed | (_EXPECTED_OWNER if is_renamed else frozenset())

    def check(self, service: str, account: str) -> None:
        """Refuse what is for an account that the backend does not hold."""
        if self._table.accounts and account not in self._table.accounts:
            raise _foreign(account)
        # SECURITY: a backend without accounts would give one account's table or queue to another that names its own.
        if self.is_shared and service != _WITHOUT_ACCOUNTS and account not in {self._holder, ""}:
            raise _foreign(account)

    def of(self, service: str, account: str) -> Login:
        """The login for a request that is for a resource of this account."""
        self.check(service, account)
        key = "" if self.is_shared else account
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._login(account)
        return made

    def _login(self, account: str) -> Login:
        table = self._table
        headers = [(name.encode(), value.replace(ACCOUNT, account).encode()) for name, value in table.headers.items()]
        return Login(
            None if table.unsigned else self._credentials(table.accounts.get(account, table), account), headers
        )

    def _credentials(
        self, given: BackendSettings | AccountSettings, account: str
    ) -> Credentials | CredentialsFile | None:
        if given.credentials_file is not None:
            key = (given.credentials_file, given.profile)
            return self._files.setdefault(key, CredentialsFile(*key))
        if given.access_key_id is None or given.secret_access_key is None:
            return None
        key_id = given.access_key_id.replace(ACCOUNT, account)
        return Credentials(key_id, given.secret_access_key, given.session_token)

    def not_passed(self, service: str) -> frozenset[bytes]:
        """The client's headers that the backend must not get: they name accounts by numbers that are not its own."""
        return self._not_passed_to_s3 if service == _WITHOUT_ACCOUNTS else self._not_passed


def _foreign(account: str) -> CommonError:
    return CommonError(
        Common.ACCESS_DENIED, f"The backend that serves this holds no resources of account {account or 'nobody'}."
    )


class OneLogin(Logins):
    """One login, for whatever account."""

    def __init__(self, credentials: Credentials | None) -> None:
        super().__init__(BackendSettings(url=""), "")
        self._one = Login(credentials)

    def check(self, service: str, account: str) -> None:
        """Take every account."""

    def of(self, service: str, account: str) -> Login:
        """The one login."""
        return self._one
