"""The page that a partner's link leads to."""

import pytest
from services.iam.delegating import Partner
from web.conftest import ALIAS, PASSWORD


@pytest.fixture
def partner(aws):
    return Partner.of(aws)


@pytest.fixture
def link(partner):
    def asked(**changes):
        answer = partner.iam.create_delegation_request(**partner.parameters(**changes))
        return answer["ConsoleDeepLink"].partition("/_iamd/")[1:]

    return lambda **changes: "".join(asked(**changes))


def step(browser, name, **fields):
    path = browser.path
    [form] = [form for form in browser.document.forms if dict(form.form_values()).get("step") == name]
    return browser.post(path, dict(form.form_values()) | fields)


def test_a_link_leads_through_the_sign_in_to_the_request(iam, ann, browser, link):
    iam.attach_user_policy(UserName=ann, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    path = link(Description="<b>reads</b> reports")
    browser.get(path)
    assert browser.path == "/_iamd/signin"
    browser.submit("/_iamd/signin", account=ALIAS, user_name=ann, password="wrong")
    browser.submit("/_iamd/signin", account=ALIAS, user_name=ann, password=PASSWORD)
    assert browser.path == path
    assert browser.title == "Example Corp asks for access"
    assert "<b>reads</b> reports" in browser.text
    assert not browser.document.xpath("//b")


def test_it_is_associated_approved_and_sent_there(aws, iam, ann, enter, browser, link, partner):
    iam.attach_user_policy(UserName=ann, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    path = link(RedirectUrl="https://partner.example/back")
    enter().get(path)
    step(browser, "associate")
    step(browser, "update", notes="please look")
    assert "please look" in browser.text
    step(browser, "accept")
    assert "arn:aws:iam::123456789012:user/team/ann" in browser.text
    step(browser, "send")
    assert "FINALIZED" in browser.text
    assert browser.document.xpath("//a[@href='https://partner.example/back']")
    [event] = aws.events("SendDelegationToken")
    assert event["userIdentity"]["userName"] == "ann"
    request_id = path.rpartition("/")[2]
    credentials, _ = partner.exchange(partner.notification(request_id)["TradeInToken"])
    assert aws.client("iam", credentials).list_users()["Users"]


def test_who_may_not_is_told_and_nothing_is_done(iam, ann, enter, browser, link):
    path = link()
    enter().get(path)
    assert "is not authorized to perform: iam:GetDelegationRequest" in browser.text
    iam.put_user_policy(
        UserName=ann,
        PolicyName="see",
        PolicyDocument='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}}',
    )
    browser.get(path)
    assert "is not authorized to perform: iam:AssociateDelegationRequest" in step(browser, "associate").error
    assert "UNASSIGNED" in browser.get(path).text


@pytest.mark.parametrize("path", ["/_iamd/delegation-requests/", "/_iamd/delegation-requests/short"])
def test_what_is_no_id_is_no_page(browser, aws, path):
    assert browser.http.get(path).status_code == 404


def test_a_request_of_another_account_is_none(iam, ann, enter, browser, link):
    iam.attach_user_policy(UserName=ann, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    enter().get(link(OwnerAccountId="999999999999"))
    assert "cannot be found" in browser.text
