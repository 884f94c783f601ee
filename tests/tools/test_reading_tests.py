"""How tests are read: which operation a text calls, with which parameters, and whether it expects a refusal."""

import ast
from textwrap import dedent

import pytest
from evidence import evidence
from evidence.calls import Call, Text, Words
from evidence.modules import Module, taken_in

WORDS = Words(
    frozenset({"create_user", "get_user", "list_users", "put_user_policy", "put_role_policy"}),
    frozenset({"UserName", "RoleName", "Path", "PolicyName", "Marker", "MaxItems"}),
    frozenset({"CreateAccount", "ListAccounts"}),
)


def text_of(source, shared=""):
    """A test with what its module gives it; the test stands last."""
    module = Module(None, ast.parse(dedent(source)))
    known = Module(None, ast.parse(dedent(shared))).definitions
    [test] = module.tests
    own, _ = taken_in(test, module.definitions, known)
    return Text([test, *own], WORDS, {**known, **module.definitions})


def calls_of(source, shared=""):
    return {(call.name, call.parameters & WORDS.parameters, call.refused) for call in text_of(source, shared).calls()}


def called(name, *parameters, refused=False):
    return (name, frozenset(parameters), refused)


def test_a_method_that_is_called_has_the_parameters_it_is_given():
    found = calls_of("""
        def test_a(iam):
            iam.create_user(UserName="ann", Path="/")
            assert iam.get_user(UserName="ann")
        """)
    assert found == {called("create_user", "UserName", "Path"), called("get_user", "UserName")}


@pytest.mark.parametrize("block", ["refused('NoSuchEntity')", "pytest.raises(ClientError) as caught"])
def test_a_call_in_a_refusing_block_is_refused(block):
    found = calls_of(f"""
        def test_a(iam, refused):
            with {block}:
                iam.get_user(UserName="ann")
        """)
    assert found == {called("get_user", "UserName", refused=True)}


def test_a_dictionary_that_is_handed_over_may_give_what_it_holds():
    found = calls_of("""
        ANN = {"UserName": "ann"}
        def test_a(iam):
            iam.create_user(**ANN)
        """)
    assert found == {called("create_user", "UserName")}


def test_a_helpers_call_is_what_those_who_call_the_helper_expect():
    helper = """
        def get(iam, **parameters):
            return iam.get_user(**parameters)
        """
    once = (
        helper
        + """
        def test_a(iam):
            assert get(iam, UserName="ann")
        """
    )
    both = (
        helper
        + """
        def test_a(iam, refused):
            get(iam, UserName="ann")
            with refused("NoSuchEntity"):
                get(iam, UserName="bob")
        """
    )
    assert calls_of(once) == {called("get_user", "UserName")}
    assert {call[2] for call in calls_of(both)} == {True, False}


def test_methods_that_a_variable_holds_are_what_the_calls_of_variables_expect():
    found = calls_of("""
        def test_a(iam, refused):
            for call in (iam.get_user, lambda **given: iam.create_user(**given)):
                with refused("NoSuchEntity"):
                    call(UserName="ann")
        """)
    assert found == {called("get_user", "UserName", refused=True), called("create_user", "UserName", refused=True)}


def test_a_name_that_is_put_together_is_each_operation_of_that_form():
    found = calls_of("""
        def test_a(iam, kind):
            getattr(iam, f"put_{kind}_policy")(**{f"{kind}Name": "x"}, PolicyName="p")
        """)
    names = ("UserName", "RoleName", "PolicyName")
    assert found == {called("put_user_policy", *names), called("put_role_policy", *names)}


def test_a_name_in_a_table_is_called_where_the_table_is_used():
    found = calls_of("""
        @pytest.mark.parametrize("operation", ["get_user", "create_user"])
        def test_a(iam, operation, refused):
            with refused("ValidationError"):
                getattr(iam, operation)(UserName="")
        """)
    assert found == {called("get_user", "UserName", refused=True), called("create_user", "UserName", refused=True)}


def test_a_method_that_is_handed_to_a_function_that_expects_refusals_is_refused():
    found = calls_of("""
        def refusal(call, **parameters):
            with pytest.raises(ClientError) as caught:
                call(**parameters)
            return caught.value
        def test_a(iam):
            assert refusal(iam.get_user, UserName="ann")
        """)
    assert found == {called("get_user", "UserName", refused=True)}


def test_paginators_give_marker_and_size():
    found = calls_of("""
        def test_a(iam):
            assert list(iam.get_paginator("list_users").paginate())
        """)
    assert found == {called("list_users", "Marker", "MaxItems")}


def test_iamds_own_operations_are_named_by_text():
    calls = text_of("""
        def test_a(aws):
            aws.iamd("CreateAccount", Name="other")
            assert aws.explain("id")
        """).calls()
    assert Call("CreateAccount", frozenset({"Name"}), refused=False, service="iamd") in calls
    assert Call("Explain", frozenset({"RequestId"}), refused=False, service="iamd") in calls


def test_iamds_own_operations_are_named_by_a_variable_that_holds_one():
    calls = text_of("""
        @pytest.mark.parametrize(("operation", "parameters"), [("ListAccounts", {}), ("CreateAccount", {"Name": "x"})])
        def test_a(aws, operation, parameters):
            with pytest.raises(Refusal):
                aws.iamd(operation, **parameters)
        """).calls()
    refused = frozenset({"Name"})
    assert set(calls) == {
        Call(name, refused, refused=True, service="iamd") for name in ("CreateAccount", "ListAccounts")
    }


def test_an_operation_without_tests_lacks_everything(monkeypatch):
    monkeypatch.setattr(evidence, "tests", list)
    monkeypatch.setattr(evidence, "_table", lambda _: frozenset())
    [found] = [one for one in evidence.registered() if one.name == "GetUser"]
    assert evidence.missing(found) == ["effect of UserName", "denial", "event", "error NoSuchEntity"]


def a_test(*calls, touched=("create_user",), strings=(), called=(), checks=True):
    return evidence.Test(calls, frozenset(touched), strings, frozenset(called), checks)


GET = Call("get_user", frozenset({"UserName"}), refused=False)
REFUSED = Call("get_user", frozenset({"UserName"}), refused=True)
WORDS_OF_A_DENIAL = "is not authorized to perform: iam:GetUser on resource: {} because"


@pytest.mark.parametrize(
    ("test", "shown"),
    [
        (a_test(GET), "effect of UserName"),
        (a_test(REFUSED, strings=(WORDS_OF_A_DENIAL,)), "denial"),
        (a_test(REFUSED, strings=("authorized to perform: iam:GetUser with", "Resource")), "denial"),
        (a_test(called={"denied"}, strings=("GetUser",)), "denial"),
        (a_test(GET, called={"event_of"}, checks=False), "event"),
        (a_test(called={"events"}, strings=("GetUser",)), "event"),
        (a_test(REFUSED, strings=("NoSuchEntity",)), "error NoSuchEntity"),
        (a_test(REFUSED, strings=("NoSuchEntity: The user",)), "error NoSuchEntity"),
    ],
)
def test_what_a_test_shows_is_not_missing(monkeypatch, test, shown):
    assert shown not in lacking(monkeypatch, test)


@pytest.mark.parametrize(
    ("test", "not_shown"),
    [
        (a_test(GET, checks=False), "effect of UserName"),
        (a_test(GET, touched={"get_user"}), "effect of UserName"),
        (a_test(REFUSED), "effect of UserName"),
        (a_test(GET, strings=(WORDS_OF_A_DENIAL,)), "denial"),
        (a_test(REFUSED, strings=("is not authorized to perform: iam:GetUser",)), "denial"),
        (a_test(called={"events"}, strings=("ListUsers",)), "event"),
        (a_test(GET, strings=("NoSuchEntity",)), "error NoSuchEntity"),
    ],
)
def test_what_a_test_does_not_show_is_missing(monkeypatch, test, not_shown):
    assert not_shown in lacking(monkeypatch, test)


def lacking(monkeypatch, test):
    monkeypatch.setattr(evidence, "tests", lambda: [test])
    monkeypatch.setattr(evidence, "_table", lambda _: frozenset())
    [found] = [one for one in evidence.registered() if one.name == "GetUser"]
    return evidence.missing(found)
