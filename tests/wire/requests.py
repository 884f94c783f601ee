"""Small requests for tests."""

from iamd.http import HttpRequest

FORM = (b"content-type", b"application/x-www-form-urlencoded; charset=utf-8")
JSON = (b"content-type", b"application/x-amz-json-1.1")


def http(method="POST", path=b"/", query=b"", body=b"", headers=(), host=b"localhost:4566"):
    return HttpRequest("id", method, path, query, ((b"host", host), *headers), body, "127.0.0.1")


def form(body: bytes, **further) -> HttpRequest:
    return http(body=body, headers=(FORM,), **further)


def iam(body: bytes) -> HttpRequest:
    return form(b"Version=2010-05-08&" + body)


def target(name: bytes, body: bytes = b"{}", **further) -> HttpRequest:
    return http(body=body, headers=(JSON, (b"x-amz-target", name)), **further)


LOOKUP = b"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
