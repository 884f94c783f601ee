"""What a bucket holds, in a browser: it is of no origin, since its own would be that of iamd's pages."""

import httpx
import pytest

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "sec-fetch-dest": "document"}


@pytest.fixture
def link(cloud):
    """`link(kind)` is a presigned URL of an object of this content type."""
    s3 = cloud.client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="pages")

    def make(kind, size=8):
        s3.put_object(Bucket="pages", Key="page", Body=b"<script>" * size, ContentType=kind)
        return s3.generate_presigned_url("get_object", Params={"Bucket": "pages", "Key": "page"})

    return make


@pytest.mark.parametrize("size", [8, 200_000])
def test_an_object_is_shown_to_a_browser_without_an_origin(link, size):
    answer = httpx.get(link("text/html", size), headers=BROWSER, trust_env=False)
    assert (answer.status_code, len(answer.content)) == (200, 8 * size)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-same-origin" not in policy


def test_what_the_link_says_of_the_type_counts(cloud, link):
    link("image/png")
    params = {"Bucket": "pages", "Key": "page", "ResponseContentType": "text/html"}
    url = cloud.client("s3", signature_version="s3v4").generate_presigned_url("get_object", Params=params)
    assert "content-security-policy" in httpx.get(url, headers=BROWSER, trust_env=False).headers


@pytest.mark.parametrize(
    ("kind", "headers"), [("image/png", BROWSER), ("application/pdf", BROWSER), ("text/html", {"accept": "*/*"})]
)
def test_pictures_and_what_programs_ask_for_stay_as_they_are(link, kind, headers):
    assert "content-security-policy" not in httpx.get(link(kind), headers=headers, trust_env=False).headers
