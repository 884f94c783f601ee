"""What a form that was posted to S3 is answered with, once its object is there.

AWS: S3 API Reference, "POST Object" (RESTObjectPOST), success_action_status and success_action_redirect; of the
encoding of URLs, which it leaves open, what S3 is seen to do.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from iamd.gateway.answer import Answer
from iamd.http import HttpRequest
from iamd.wire.write_xml import escaped

_STATUSES: Final = {"200": 200, "201": 201, "204": 204}
_DEFAULT: Final = 204
_SCHEMES: Final = frozenset({"http", "https"})
_KEPT: Final = (b"etag", b"vary", b"x-amz-", b"access-control-")


def of(answer: Answer, request: HttpRequest, fields: Mapping[str, str], bucket: str, key: str) -> Answer:
    """The answer to a form whose request and fields these are, of the one to its PutObject."""
    answer.close()
    headers = [pair for pair in answer.headers if pair[0].startswith(_KEPT)]
    etag = next((value.decode("latin-1") for name, value in headers if name == b"etag"), "")
    redirect = _redirect(fields, bucket, key, etag)
    if redirect is not None:
        return Answer(303, [*headers, (b"location", redirect)], b"")
    status = _STATUSES.get(fields.get("success_action_status", ""), _DEFAULT)
    location = _location(request, key)
    headers.append((b"location", location.encode()))
    if status != 201:
        return Answer(status, headers, b"")
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<PostResponse><Location>{escaped(location)}</Location><Bucket>{escaped(bucket)}</Bucket>"
        f"<Key>{escaped(key)}</Key><ETag>{escaped(etag)}</ETag></PostResponse>"
    )
    return Answer(status, [*headers, (b"content-type", b"application/xml")], body.encode())


def _location(request: HttpRequest, key: str) -> str:
    """The object's URL, as the form was posted to its bucket; each slash of the key is encoded."""
    host = request.fields.get(b"host", b"localhost").decode("latin-1")
    path = request.path.decode("latin-1").rstrip("/")
    return f"{'https' if request.secure else 'http'}://{host}{path}/{quote(key, safe='')}"


def _redirect(fields: Mapping[str, str], bucket: str, key: str, etag: str) -> bytes | None:
    """Where the browser is sent; None when no field says so, or with a URL that can't be read."""
    given = fields.get("success_action_redirect", fields.get("redirect", ""))
    # SECURITY: a control character would begin a header, and some readers of URLs leave them out.
    if not given.isprintable() or "\\" in given or not _is_absolute(given):
        return None
    url, mark, fragment = given.partition("#")
    told = urlencode({"bucket": bucket, "key": key, "etag": etag})
    whole = f"{url}{'&' if '?' in url else '?'}{told}{mark}{fragment}"
    return quote(whole, safe="!\"#$%&'()*+,/:;<=>?@[]^`{|}~ ").encode()


def _is_absolute(text: str) -> bool:
    try:
        found = urlsplit(text)
        return found.scheme in _SCHEMES and bool(found.hostname)
    except ValueError:
        return False
