"""A file of credentials in the AWS CLI's form, which whoever rotates the keys writes anew."""

import configparser
from dataclasses import dataclass
from pathlib import Path

_Seen = tuple[int, int, int]


class NotReadableError(Exception):
    """The file is not there, or holds no access key for the profile; says which, and never what it holds."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs for a backend."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


class CredentialsFile:
    """Gives the credentials that stand in the file now; it is read again when it has changed."""

    def __init__(self, path: str, profile: str | None = None) -> None:
        self._path = Path(path).expanduser()
        self._profile = profile
        self._seen: _Seen | None = None
        self._current: Credentials | None = None

    def current(self) -> Credentials:
        """The credentials of the profile; NotReadableError when there are none."""
        try:
            found = seen(self._path)
            if found != self._seen or self._current is None:
                self._current, self._seen = self._read(), found
        except (OSError, UnicodeDecodeError) as error:
            self._current = None
            raise NotReadableError(f"cannot read `{self._path}`") from error
        return self._current

    def _read(self) -> Credentials:
        # What a value holds is no syntax: secrets have percent signs.
        content = configparser.RawConfigParser(default_section="")
        try:
            content.read_string(self._path.read_text("utf-8"))
        except configparser.Error as error:
            raise NotReadableError(f"`{self._path}` is no file of credentials") from error
        sections = content.sections()
        name = self._profile or (sections[0] if len(sections) == 1 else "default")
        values = content[name] if content.has_section(name) else {}
        key, secret = values.get("aws_access_key_id"), values.get("aws_secret_access_key")
        if not key or not secret:
            raise NotReadableError(f"`{self._path}` has no access key of the profile `{name}`")
        return Credentials(key, secret, values.get("aws_session_token") or None)


def seen(path: Path) -> _Seen:
    """What tells a file from what it was before it was written anew."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
