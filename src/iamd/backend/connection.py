"""One kept-alive connection of the private socket: bytes in, WSGI calls, bytes out, all in one thread."""

import io
import socket
import tempfile
from collections.abc import Callable, Iterable
from typing import IO, Any, Final

import httptools

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

READ_SIZE: Final = 256 * 1024
SPOOL_SIZE: Final = 1024 * 1024
PRESERVED: Final = "moto.preserved_header_names"
_CONTENT: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class Connection:
    """Serves requests one after the other until the peer closes.

    A thread per connection costs no hand-over between threads, and iamd, the only peer, bounds their number.
    """

    def __init__(self, sock: socket.socket, application: Application) -> None:
        self._socket = sock
        self._application = application
        self._parser = httptools.HttpRequestParser(self)
        self._alive = True
        self.on_message_begin()

    def serve(self) -> None:
        """Serve until the connection ends; a message that ends early is never given to the application."""
        try:
            while self._alive and (data := self._socket.recv(READ_SIZE)):
                self._parser.feed_data(data)
        except (httptools.HttpParserError, OSError):
            return
        finally:
            self._socket.close()

    def on_message_begin(self) -> None:
        """Begin with an empty request."""
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: IO[bytes] | None = None

    def on_url(self, url: bytes) -> None:
        """Collect the request target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        """Collect a piece of the body; above a megabyte it goes to a file without a name."""
        if self._body is None:
            self._body = tempfile.SpooledTemporaryFile(SPOOL_SIZE)  # noqa: SIM115 - closed after the call
        self._body.write(body)

    def on_message_complete(self) -> None:
        """Call the application with the whole request and write its answer."""
        self._alive = self._parser.should_keep_alive()
        body = self._body or io.BytesIO()
        body.seek(0)
        method = self._parser.get_method().decode()
        environ = _environ(method, self._target, self._headers, body)
        try:
            self._answer(environ, method)
        finally:
            body.close()

    def _answer(self, environ: dict[str, Any], method: str) -> None:
        begun: list[Any] = []
        pieces = self._application(environ, lambda status, headers, _=None: begun.append((status, headers)))
        try:
            content = b"".join(pieces)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        status, headers = begun[0]
        if method == "HEAD":
            self._socket.sendall(_head(status, headers, None))
            return
        head = _head(status, headers, len(content))
        # Two packets would wake iamd twice.
        together = len(content) <= READ_SIZE
        self._socket.sendall(head + content if together else head)
        if not together:
            self._socket.sendall(content)


def _environ(method: str, target: bytes, headers: list[tuple[bytes, bytes]], body: IO[bytes]) -> dict[str, Any]:
    path, _, query = target.decode("latin-1").partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        # PEP 3333: the decoded path, its bytes as Latin-1; the target as it came stands beside it.
        "PATH_INFO": _unquoted(path),
        "RAW_URI": target.decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "iamd.headers": headers,
    }
    _add_headers(environ, headers)
    return environ


def _unquoted(path: str) -> str:
    if "%" not in path:
        return path
    head, *rest = path.encode("latin-1").split(b"%")
    return b"".join([head, *map(_unescaped, rest)]).decode("latin-1")


def _unescaped(part: bytes) -> bytes:
    try:
        return bytes.fromhex(part[:2].decode("ascii")) + part[2:]
    except (ValueError, UnicodeDecodeError):
        return b"%" + part


def _add_headers(environ: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    # SECURITY: WSGI cannot tell `x_amz_target` from `x-amz-target`, so no header with an underscore stands for one
    # with a dash. Only metadata keeps its underscores, whose spelling moto reads from a key of its own.
    dashed = {name for name, _ in headers if b"_" not in name}
    preserved: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        key = _CONTENT.get(name) or "HTTP_" + name.upper().replace("-", "_")
        if "_" in name:
            if not name.startswith("x-amz-meta-") or raw_name.replace(b"_", b"-") in dashed:
                continue
            preserved[key] = name
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ[PRESERVED] = preserved


def _head(status: str, headers: list[tuple[str, str]], length: int | None) -> bytes:
    lines = [f"HTTP/1.1 {status}"]
    bodiless = status[:3] in {"204", "304"} or status[0] == "1"
    for name, value in headers:
        lower = name.lower()
        if lower in {"connection", "transfer-encoding"} or (lower == "content-length" and length is not None):
            continue
        lines.append(f"{name}: {_one_line(str(value))}")
    if length is not None and not bodiless:
        lines.append(f"content-length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _one_line(value: str) -> str:
    # SECURITY: a line break in a stored value must not begin a header of its own.
    return value.replace("\r", " ").replace("\n", " ")
