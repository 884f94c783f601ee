"""What holds for every page and form: headers, cookies, and who may send a form."""

import re

import httpx
import pytest
from running import AWS
from web.conftest import ALIAS, PASSWORD

PAGES = ["/_iamd/", "/_iamd/mfa", "/_iamd/password"]
FORMS = [
    *(f"/_iamd/mfa/{name}" for name in ("assign", "deactivate", "delete", "new", "remove", "resync", "security-key")),
    "/_iamd/password",
    "/_iamd/signout",
]


@pytest.mark.parametrize("path", [*PAGES, "/_iamd/signin", "/_iamd/static/style.css"])
def test_nothing_foreign_runs_in_a_page_or_frames_it(browser, enter, path):
    """Invariant WEB-06."""
    if path != "/_iamd/signin":
        enter()
    answer = browser.get(path).answer
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", [*PAGES, "/_iamd/signin"])
def test_pages_are_not_kept_and_have_no_script_or_style_within(browser, enter, path):
    enter()
    answer = browser.get(path).answer
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<style|style=|<script(?! src=\"/_iamd/static/)|\son\w+=|https?://", answer.text)


def cookies_of(answer):
    """By name, what is set with a cookie."""
    found = {}
    for header in answer.headers.get_list("set-cookie"):
        pair, *attributes = header.split("; ")
        found[pair.partition("=")[0]] = set(attributes)
    return found


def test_cookies_are_for_these_pages_alone(browser, ann):
    """Invariant WEB-01."""
    browser.get("/_iamd/signin")
    assert cookies_of(browser.answer) == {"iamd-signin": {"Path=/_iamd/", "HttpOnly", "SameSite=Strict"}}
    form = dict(browser.document.forms[0].form_values())
    answer = browser.http.post(
        "/_iamd/signin",
        data=form | {"account": ALIAS, "user_name": ann, "password": PASSWORD},
        headers={"Origin": browser.endpoint},
    )
    assert cookies_of(answer) == {
        "iamd-session": {"Path=/_iamd/", "HttpOnly", "SameSite=Lax"},
        "iamd-signin": {"Path=/_iamd/", "HttpOnly", "SameSite=Strict", "Max-Age=0"},
    }


def test_behind_https_cookies_are_secure_and_the_origin_is_https(start, open_browser):
    server = start("--backend", "none", "--trusted-proxies", "127.0.0.1")
    aws = AWS(server)
    aws.client("iam").create_user(UserName="ann")
    aws.client("iam").create_login_profile(UserName="ann", Password=PASSWORD)
    headers = {"X-Forwarded-Proto": "https", "Host": "iamd.example.com"}
    browser = open_browser(server.endpoint, headers=headers, origin="https://iamd.example.com")
    answer = browser.get("/_iamd/signin").answer
    assert "Secure" in cookies_of(answer)["iamd-signin"]
    # A client library keeps a Secure cookie from plain HTTP, as this last hop is; a browser has https.
    sent = {name: value.partition(";")[0] for name, value in [answer.headers["set-cookie"].split("=", 1)]}
    form = dict(browser.document.forms[0].form_values()) | {"account": "123456789012", "user_name": "ann"}
    form["password"] = PASSWORD
    cookie = "; ".join(f"{name}={value}" for name, value in sent.items())

    def post(origin):
        return httpx.post(
            f"{server.endpoint}/_iamd/signin", data=form, headers=headers | {"Origin": origin, "Cookie": cookie}
        )

    assert post("http://iamd.example.com").status_code == 403
    assert post("https://iamd.example.com").headers["location"] == "/_iamd/"


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1", "https://{host}"])
@pytest.mark.parametrize("path", FORMS)
def test_a_form_of_another_origin_is_refused(browser, enter, path, origin):
    """Invariant WEB-01."""
    enter()
    host = browser.endpoint.partition("//")[2]
    fields = {"csrf": browser.document.forms[0].fields["csrf"]}
    headers = {} if origin is None else {"Origin": origin.format(host=host)}
    assert browser.http.post(path, data=fields, headers=headers).status_code == 403
    assert browser.is_signed_in


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_its_token_or_with_anothers_is_refused(browser, enter, open_browser, path):
    """Invariant WEB-01."""
    other = enter(into=open_browser()).document.forms[0].fields["csrf"]
    enter()
    for fields in ({"other": "x"}, {"csrf": ""}, {"csrf": other}, {"csrf": "é"}):
        assert browser.post(path, fields).answer.status_code == 403
        assert browser.is_signed_in


def test_a_sign_in_form_of_another_browser_is_refused(browser, ann, open_browser):
    """Else a stranger could have somebody sign in as the stranger."""
    form = dict(open_browser().get("/_iamd/signin").document.forms[0].form_values())
    browser.get("/_iamd/signin")
    sent = form | {"account": ALIAS, "user_name": ann, "password": PASSWORD}
    assert browser.post("/_iamd/signin", sent).answer.status_code == 403
    browser.http.cookies.clear()
    assert browser.post("/_iamd/signin", sent).answer.status_code == 403


@pytest.mark.parametrize("cookie", ["", "x", "a.b", "é", "AAAA" * 1000])
@pytest.mark.parametrize("name", ["iamd-session", "iamd-signin"])
def test_a_cookie_that_is_not_genuine_is_none(browser, aws, name, cookie):
    answer = browser.http.get("/_iamd/", headers={"Cookie": f"{name}={cookie}".encode()})
    assert (answer.status_code, answer.headers["location"]) == (303, "/_iamd/signin")


def test_a_step_is_no_session_and_a_session_no_step(browser, enter, open_browser):
    step = open_browser().get("/_iamd/signin").http.cookies["iamd-signin"]
    answer = browser.http.get("/_iamd/", headers={"Cookie": f"iamd-session={step}"})
    assert answer.status_code == 303


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/_iamd/signin", "/_iamd/", "/_iamd/signout"])
def test_pages_take_no_other_methods(browser, aws, method, path):
    assert browser.http.request(method, path).status_code == 405


def test_what_is_submitted_is_not_shown_with_get(browser, enter):
    enter()
    assert browser.http.get("/_iamd/signout").status_code == 405
    assert browser.is_signed_in


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("text/plain", b"a=b"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("application/x-www-form-urlencoded", b"csrf=a&csrf=b"),
        ("application/x-www-form-urlencoded", b"csrf"),
        ("application/x-www-form-urlencoded", b"csrf=%ff"),
        ("application/x-www-form-urlencoded", b"csrf=%00"),
        ("application/x-www-form-urlencoded", "csrf=é".encode()),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=b" % n for n in range(40))),
    ],
)
def test_what_is_no_form_is_refused(browser, aws, content_type, body):
    headers = {"Origin": browser.endpoint, "Content-Type": content_type}
    assert browser.http.post("/_iamd/signin", content=body, headers=headers).status_code == 400


def test_head_answers_as_get_without_a_body(browser, aws):
    answer = browser.http.head("/_iamd/signin")
    assert (answer.status_code, answer.content) == (200, b"")


def test_no_password_stands_in_the_log_or_the_events(aws, enter, open_browser):
    enter("Wr0ng-Secret-Canary")
    enter()
    aws.server.post("/_iamd/clock", {"advance_seconds": 0})
    assert "Secret-Canary" not in aws.server.log.read_text()
    assert all("Secret-Canary" not in str(event) and PASSWORD not in str(event) for event in aws.events())


SCRIPT = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}


def test_no_script_is_given_a_page_or_sends_a_form(browser, enter):
    """Whatever got the origin of the pages: their own scripts ask for nothing (Fetch Metadata, 2.2)."""
    enter()
    fields = {"csrf": browser.get("/_iamd/mfa").document.forms[0].fields["csrf"], "device_name": "evil"}
    told = browser.http.get("/_iamd/mfa", headers=SCRIPT)
    assert (told.status_code, "csrf" in told.text) == (403, False)
    assert browser.post("/_iamd/mfa/new", fields, **SCRIPT).answer.status_code == 403
    assert "csrf" in browser.http.get("/_iamd/mfa", headers={"Sec-Fetch-Mode": "navigate"}).text
    assert browser.http.get("/_iamd/static/style.css", headers={"Sec-Fetch-Mode": "no-cors"}).status_code == 200
