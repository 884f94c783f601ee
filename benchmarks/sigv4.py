"""Microseconds of CPU to verify one signed request: best round of several, signing key and header prefix known."""

import hashlib
import time

from iamd.auth import signer, sigv4
from iamd.http import HttpRequest

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
EMPTY = hashlib.sha256(b"").hexdigest()
NOW = 1_790_000_000.0


def sts_post(number: int) -> HttpRequest:
    body = b"Action=GetCallerIdentity&Version=2011-06-15&n=%d" % number
    headers = [
        (b"host", b"sts.us-east-1.amazonaws.com"),
        (b"content-type", b"application/x-www-form-urlencoded; charset=utf-8"),
        (b"accept-encoding", b"identity"),
        (b"user-agent", b"aws-cli/2.15.0 md/Botocore#1.44.5 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.7"),
        (b"amz-sdk-invocation-id", b"5a4f6d0c-6c2c-4a7e-9f5e-5a4f6d0c6c2c"),
        (b"content-length", b"%d" % len(body)),
    ]
    added = signer.sign(
        "POST", b"/", b"", headers[:2], hashlib.sha256(body).hexdigest(),
        access_key_id=KEY, secret_access_key=SECRET, session_token=None, region="us-east-1", service="sts", now=NOW,
    )  # fmt: skip
    return HttpRequest("r", "POST", b"/", b"", [*headers, *added], body, "127.0.0.1")


def s3_get(number: int) -> HttpRequest:
    path = b"/bucket/some/key/%d.txt" % number
    headers = [
        (b"host", b"s3.us-east-1.amazonaws.com"),
        (b"accept-encoding", b"identity"),
        (b"user-agent", b"aws-cli/2.15.0 md/Botocore#1.44.5 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.7"),
        (b"amz-sdk-invocation-id", b"5a4f6d0c-6c2c-4a7e-9f5e-5a4f6d0c6c2c"),
    ]
    added = signer.sign(
        "GET", path, b"", headers[:1], EMPTY,
        access_key_id=KEY, secret_access_key=SECRET, session_token="F" * 900, region="us-east-1", service="s3", now=NOW,
    )  # fmt: skip
    return HttpRequest("r", "GET", path, b"", [*headers, *added], b"", "127.0.0.1")


def verify(requests: list[HttpRequest]) -> None:
    for request in requests:
        claim = sigv4.claim(request)
        if claim is None:
            raise SystemExit("not signed")
        sigv4.check(claim, request, SECRET, NOW, 900)


def best(requests: list[HttpRequest], rounds: int = 60) -> float:
    fastest = float("inf")
    for _ in range(rounds):
        start = time.process_time_ns()
        verify(requests)
        fastest = min(fastest, (time.process_time_ns() - start) / len(requests) / 1000)
    return fastest


if __name__ == "__main__":
    print(f"STS POST         {best([sts_post(number) for number in range(500)]):5.2f} us")
    print(f"S3 GET + token   {best([s3_get(number) for number in range(500)]):5.2f} us")
