"""What a client could write into a request so that a reader behind iamd takes it for another one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

OTHER_ACCOUNT = "111122223333"


@dataclass(frozen=True)
class Request:
    """A request before it is signed: `service` is the name in its scope; the host is the server's when it is None."""

    service: str
    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    host: str | None = None

    @property
    def target(self) -> str:
        """The request target."""
        return self.path + (f"?{self.query}" if self.query else "")

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        return next((value for key, value in self.headers if key == name), None)

    def having(self, *headers: tuple[str, str]) -> "Request":
        """With these headers added."""
        return replace(self, headers=(*self.headers, *headers))

    def telling(self, name: str, *values: str) -> "Request":
        """With this header's values in place of what it had."""
        others = tuple(pair for pair in self.headers if pair[0] != name)
        return replace(self, headers=(*others, *((name, value) for value in values)))

    def asking(self, query: str) -> "Request":
        """With more in its query."""
        return replace(self, query=f"{self.query}&{query}" if self.query else query)


Trick = Callable[[Request], Iterator[Request]]
HOSTS = (
    "iam.amazonaws.com", "dynamodb.us-east-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com", "other.s3.amazonaws.com",
    "bkt.s3.localhost", "x.s3-accesspoint.us-east-1.amazonaws.com", "s3-control.us-east-1.amazonaws.com", "bkt",
    "www.bkt.localhost", "lambda.us-east-1.amazonaws.com:80", "motoapi.amazonaws.com",
    "pnt-123456789012.localhost", "pnt-123456789012.s3-accesspoint.us-east-1.amazonaws.com",
    "abcdef1234.execute-api.us-east-1.amazonaws.com", "bkt.execute-api.localhost",
)  # fmt: skip
ACTIONS = "Action=DeleteQueue&QueueUrl=http://x/123456789012/que&QueueName=que"


def plain(request: Request) -> Iterator[Request]:
    yield request


def host(request: Request) -> Iterator[Request]:
    yield from (replace(request, host=name) for name in HOSTS)


def scope(request: Request) -> Iterator[Request]:
    yield from (
        replace(request, service=name) for name in ("s3", "sqs", "dynamodb", "lambda", "iam", "logs", "execute-api")
    )


def target(request: Request) -> Iterator[Request]:
    named = request.header("x-amz-target")
    if named is None:
        for other in ("AmazonSQS.DeleteQueue", "DynamoDB_20120810.DeleteTable", "DeleteQueue"):
            yield request.having(("x-amz-target", other))
        return
    prefix, _, operation = named.rpartition(".")
    for other in (
        f"{named}.DeleteQueue", f"DeleteQueue.{named}", named.lower(), named.upper(), f"{named} ", f"x.{named}",
        f"AmazonSQS.{operation}", f"DynamoDB_20111205.{operation}", operation, f"{prefix}.", f"{prefix}..{operation}",
        f"{prefix}.{operation[0].lower()}{operation[1:]}", f"{prefix}.{operation},{prefix}.DeleteQueue",
    ):  # fmt: skip
        yield request.telling("x-amz-target", other)
    yield request.telling("x-amz-target", named, "AmazonSQS.DeleteQueue")
    yield request.telling("x-amz-target", "AmazonSQS.DeleteQueue", named)


def action(request: Request) -> Iterator[Request]:
    yield request.asking(ACTIONS)
    yield request.asking(ACTIONS.lower())
    yield request.asking("Action=&Version=2012-11-05")
    if request.body:
        yield replace(request, body=request.body + b"&" + ACTIONS.encode())
        yield replace(request, body=ACTIONS.encode() + b"&" + request.body)
    else:
        yield replace(request, body=ACTIONS.encode())


def headers(request: Request) -> Iterator[Request]:
    for name, value in (
        ("x-moto-account-id", OTHER_ACCOUNT), ("x_moto_account_id", OTHER_ACCOUNT), ("x-moto-account_id", OTHER_ACCOUNT),
        ("x-iamd-verdict", "b s3 DeleteBucket rest-xml 1 us-east-1"), ("x_iamd_verdict", "x"), ("x-iamd-boot", "x"),
        ("x-http-method-override", "DELETE"), ("x-http-method", "DELETE"), ("x-method-override", "DELETE"),
        ("x_amz_target", "AmazonSQS.DeleteQueue"), ("x-amz_target", "AmazonSQS.DeleteQueue"),
        ("action", "DeleteQueue"), ("queueurl", "http://x/123456789012/que"), ("x-amzn-target", "AmazonSQS.DeleteQueue"),
        ("x-original-url", "/bkt?policy"), ("x-rewrite-url", "/bkt?policy"), ("x-forwarded-host", "other.s3.amazonaws.com"),
        ("x-forwarded-prefix", "/x"), ("x-script-name", "/x"), ("content-encoding", "gzip"),
        ("user-agent", "x region/eu-west-1"), ("x-amz-copy-source", "/src/dir/old"), ("x-amz-account-id", OTHER_ACCOUNT),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), ("x-amz-acl", "public-read"),
        ("range", "bytes=0-0"), ("expect", "200-ok"), ("transfer-encoding", "identity"),
    ):  # fmt: skip
        yield request.having((name, value))


def path(request: Request) -> Iterator[Request]:
    plain_path = request.path
    inner = plain_path.lstrip("/")
    for other in (
        f"/{plain_path}", f"/.{plain_path}", f"/x/..{plain_path}", f"/%2e{plain_path}", f"{plain_path}.", f"{plain_path}/",
        f"{plain_path}/.", f"{plain_path}/..", f"{plain_path};a=b", f"{plain_path}%20", f"{plain_path}%3Fpolicy",
        f"{plain_path}%3facl", f"{plain_path}%23", f"{plain_path}%00", f"{plain_path}%2f", f"{plain_path}/%2e%2e/x",
        "/" + inner.replace("/", "%2f"), "/" + inner.replace("/", "%2F"), "/" + inner.replace("/", "//"),
        "/" + inner.replace("/", "\\"), "/" + inner.replace("/", "%5c"), plain_path.upper(), f"/moto-api{plain_path}",
        "/" + "".join(f"%{ord(c):02x}" for c in inner[:3]) + inner[3:], plain_path.replace("%", "%25"),
    ):  # fmt: skip
        yield replace(request, path=other)


def query(request: Request) -> Iterator[Request]:
    for other in (
        "acl", "policy", "acl&policy", "tagging", "versionId=a", "versionId=a&versionId=b", "versionid=a", "VersionId=a",
        "uploadId=u", "uploads", "delete", "list-type=2", "x-id=DeleteObject", "x-amz-copy-source=src%2Fdir%2Fold",
        "X-Amz-Target=AmazonSQS.DeleteQueue", "x-amz-acl=public-read", "x-amz-meta-a=b", "key=other", "Key=other",
        "%70olicy", "acl=&acl=", "prefix=a&prefix=b", "QueueName=other&TableName=other&SecretId=other&logGroupName=other",
        "partNumber=1&uploadId=u", "versionId=a%26versionId=b", "retention&legal-hold", "a[]=b", "?policy", "#policy",
    ):  # fmt: skip
        if "#" not in other:
            yield request.asking(other)


def kinds(request: Request) -> Iterator[Request]:
    for kind in (
        "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8", "application/json",
        "application/x-amz-json-1.0", "application/x-amz-json-1.1", "multipart/form-data; boundary=x", "text/xml", "",
        "application/cbor", "application/x-amz-cbor-1.1", "text/plain",
    ):  # fmt: skip
        yield request.telling("content-type", kind)
    yield request.telling("content-type", "application/x-www-form-urlencoded", request.header("content-type") or "a/b")
    yield request.having(("smithy-protocol", "rpc-v2-cbor"))


def methods(request: Request) -> Iterator[Request]:
    others = {"GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH"} - {request.method}
    yield from (replace(request, method=method) for method in sorted(others))


def bodies(request: Request) -> Iterator[Request]:
    if not request.body:
        yield replace(request, body=b"<Delete><Object><Key>dir/key</Key></Object></Delete>")
        return
    yield replace(request, body=b"\xef\xbb\xbf" + request.body)
    yield replace(request, body=request.body.decode("latin-1").encode("utf-16"))
    yield replace(request, body=request.body + b"\x00")
    if request.body[:1] == b"{":
        middle = b"" if request.body == b"{}" else b","
        yield replace(request, body=request.body[:-1] + middle + b'"x":"&Action=DeleteQueue&QueueUrl=http://x/q&"}')
        for name in (b"QueueUrl", b"TableName", b"SecretId", b"FunctionName", b"logGroupName", b"Action"):
            yield replace(request, body=b'{"%b":"other",' % name + request.body[1:])
            yield replace(request, body=request.body[:-1] + middle + b'"%b":"other"}' % name)
            yield replace(request, body=request.body[:-1] + middle + b'"%b":"other"}' % name.lower())
    if request.body[:1] == b"<":
        yield replace(request, body=b"<!DOCTYPE x [<!ENTITY e 'other'>]>" + request.body)
        yield replace(request, body=request.body.replace(b"dir/key", b"dir/<!-- x -->key"))
        yield replace(request, body=request.body.replace(b"dir/key", b"<![CDATA[dir/key]]>"))
        yield replace(request, body=request.body.replace(b"dir/key", b" dir/key\n"))
        yield replace(request, body=request.body + b"<Delete/>")


TRICKS: dict[str, Trick] = {
    one.__name__: one for one in (plain, host, scope, target, action, headers, path, query, kinds, methods, bodies)
}
