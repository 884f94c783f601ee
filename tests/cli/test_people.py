"""What the operator does for people who sign in: a root user's password, and hardware tokens."""

import base64
import json

import pytest
from web.browser import Browser

PASSWORD = "Correct-horse-1"
SEED = base64.b32encode(b"12345678901234567890").decode()


@pytest.fixture
def data(aws):
    return aws.server.data


def test_a_root_user_gets_the_password_that_is_read_from_standard_input(aws, iamd, data):
    words = ["account", "root-password", "--email", "root@example.com", "--password-stdin", "-o", "json"]
    told = iamd(*words, "--data", data, input=f"{PASSWORD}\n")
    assert json.loads(told.stdout) == {"AccountId": aws.account_id, "Email": "root@example.com"}
    assert PASSWORD not in told.stdout + told.stderr
    browser = Browser(aws.endpoint).sign_in_as_root("root@example.com", PASSWORD)
    assert browser.path == "/_iamd/"
    browser.close()


def test_another_account_is_named_by_its_number(aws, iamd, data):
    aws.iamd("CreateAccount", Name="two", AccountId="222222222222", Email="two@example.com")
    words = ["account", "root-password", "--id", "222222222222", "--password-stdin", "-o", "json"]
    told = iamd(*words, "--data", data, input=PASSWORD)
    assert json.loads(told.stdout) == {"AccountId": "222222222222", "Email": "two@example.com"}


def test_a_password_that_is_none_is_one_line(iamd, aws, data):
    words = ["account", "root-password", "--email", "root@example.com", "--password-stdin", "--data", data]
    told = iamd(*words, input="short")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "iamd: password should have a minimum length of 8\n"


def test_tokens_are_added_listed_and_removed(aws, iamd, data):
    assert iamd("token", "add", "GAHT12345678", "--seed-stdin", "--data", data, input=SEED + "\n").returncode == 0
    listed = json.loads(iamd("token", "list", "-o", "json", "--data", data).stdout)
    assert [one["SerialNumber"] for one in listed["Tokens"]] == ["GAHT12345678"]
    again = iamd("token", "add", "GAHT12345678", "--seed-stdin", "--data", data, input=SEED)
    assert again.returncode == 2
    assert again.stderr == "iamd: token GAHT12345678 is registered already\n"
    assert iamd("token", "remove", "GAHT12345678", "--data", data).returncode == 0
    assert json.loads(iamd("token", "list", "-o", "json", "--data", data).stdout) == {"Tokens": []}
