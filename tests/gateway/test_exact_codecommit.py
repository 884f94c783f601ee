"""What requests to CodeCommit are decided on: repositories, by name, by pull requests and by comments; branches.

AWS: CodeCommit User Guide, "CodeCommit permissions reference" and "Limit pushes and merges to branches".
"""

import json

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.counting import answer
from gateway.parameters import ACCOUNT, REGION
from running import allow, deny

HERE = f"arn:aws:codecommit:{REGION}:{ACCOUNT}"
REPOSITORY, OTHER = f"{HERE}:rep", f"{HERE}:other"
COMMIT = {"repositoryName": "rep", "branchName": "main"}
MERGE = {"repositoryName": "rep", "sourceCommitSpecifier": "topic", "destinationCommitSpecifier": "main"}


def on(resource, *actions):
    return [(f"codecommit:{action}", resource) for action in actions]


def target(name, branch="main"):
    return {"repositoryName": name, "destinationReference": f"refs/heads/{branch}"}


def says(counted, *told):
    """Let the backend say this, one after the other."""
    counted.backend.answers = [answer(json.dumps(one).encode()) for one in told]


def pull_request(*targets):
    return {"pullRequest": {"pullRequestTargets": list(targets)}}


CASES = [
    ("GetRepository", {"repositoryName": "rep"}, on(REPOSITORY, "GetRepository")),
    ("ListRepositories", {}, on("*", "ListRepositories")),
    ("CreateRepository", {"repositoryName": "rep", "tags": {"a": "b"}}, on(REPOSITORY, "CreateRepository", "TagResource")),
    ("UpdateRepositoryName", {"oldName": "rep", "newName": "other"}, on(REPOSITORY, "UpdateRepositoryName")),
    (
        "BatchGetRepositories",
        {"repositoryNames": ["rep", "other", "rep"]},
        [*on(REPOSITORY, "BatchGetRepositories"), *on(OTHER, "BatchGetRepositories")],
    ),
    (
        "CreatePullRequest",
        {"title": "t", "targets": [{"repositoryName": name, "sourceReference": "s"} for name in ("rep", "other")]},
        [*on(REPOSITORY, "CreatePullRequest"), *on(OTHER, "CreatePullRequest")],
    ),
    ("ListTagsForResource", {"resourceArn": REPOSITORY}, on(REPOSITORY, "ListTagsForResource")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("codecommit", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        ("GetRepository", {"repositoryName": "*"}, "InvalidRepositoryNameException"),
        ("GetRepository", {"repositoryName": "a:b"}, "InvalidRepositoryNameException"),
        ("BatchGetRepositories", {"repositoryNames": ["rep", "a/b"]}, "InvalidRepositoryNameException"),
        ("GetPullRequest", {"pullRequestId": "7*"}, "InvalidPullRequestIdException"),
        ("GetComment", {"commentId": "a b"}, "InvalidCommentIdException"),
        ("ListTagsForResource", {"resourceArn": f"{HERE}:*"}, "InvalidResourceArnException"),
        ("ListTagsForResource", {"resourceArn": REPOSITORY.replace(REGION, "eu-west-1")}, "InvalidResourceArnException"),
    ],
)  # fmt: skip
def test_what_names_no_repository_is_refused(counted, name, given, code):
    told = counted.call("codecommit", name, given)
    assert (told.status, told.code, told.sent) == (400, code, 0)


def test_the_repositories_of_a_pull_request_are_asked_of_the_backend(counted):
    says(counted, pull_request(target("rep"), target("other")))
    told = counted.call("codecommit", "UpdatePullRequestTitle", {"pullRequestId": "7", "title": "t"})
    assert told.asked == [*on(REPOSITORY, "UpdatePullRequestTitle"), *on(OTHER, "UpdatePullRequestTitle")]
    assert b"CodeCommit_20150413.GetPullRequest" in counted.backend.raw.heads[-2]


def test_a_pull_request_of_another_repository_is_not_merged_as_one_of_this(counted):
    caller = Caller.new(counted, "codecommit-merge")
    caller.may(allow("codecommit:*", REPOSITORY))
    given = {"pullRequestId": "7", "repositoryName": "rep"}
    says(counted, pull_request(target("rep")))
    assert caller.call("codecommit", "MergePullRequestBySquash", given).status == 200
    says(counted, pull_request(target("other")))
    told = caller.call("codecommit", "MergePullRequestBySquash", given)
    assert (told.status, told.code) == (400, "AccessDeniedException")
    assert told.asked == [*on(REPOSITORY, "MergePullRequestBySquash"), *on(OTHER, "MergePullRequestBySquash")]
    assert b"CodeCommit_20150413.GetPullRequest" in counted.backend.raw.heads[-1]


def test_a_branch_that_nobody_may_merge_into_is_not_merged_into(counted):
    caller = Caller.new(counted, "codecommit-branch")
    main = {"StringEquals": {"codecommit:References": "refs/heads/main"}}
    caller.may(allow("codecommit:*"), deny("codecommit:MergePullRequestByFastForward", **main))
    given = {"pullRequestId": "7", "repositoryName": "rep"}
    for branch, status in (("main", 400), ("topic", 200)):
        says(counted, pull_request(target("rep", branch)))
        assert caller.call("codecommit", "MergePullRequestByFastForward", given).status == status


@pytest.mark.parametrize("told", [{}, {"pullRequest": {}}, pull_request(), pull_request({"repositoryName": "*"})])
def test_where_the_backend_does_not_tell_the_request_is_refused(counted, told):
    says(counted, told)
    before = len(counted.backend.raw.heads)
    assert counted.call("codecommit", "GetPullRequest", {"pullRequestId": "7"}).status == 400
    assert len(counted.backend.raw.heads) == before + 1


def test_a_pull_request_that_is_not_there_is_for_those_who_may_ask_everywhere(counted):
    caller = Caller.new(counted, "codecommit-gone")
    caller.may(allow("codecommit:*", REPOSITORY))
    counted.backend.answers = [answer(b'{"__type":"PullRequestDoesNotExistException"}', "400 Bad Request")]
    told = caller.call("codecommit", "GetPullRequest", {"pullRequestId": "8"})
    assert (told.code, told.asked) == ("AccessDeniedException", on(f"{HERE}:*", "GetPullRequest"))


def test_a_comment_is_in_the_repository_that_an_answer_showed_it_in(counted):
    told = counted.call("codecommit", "DeleteCommentContent", {"commentId": "c1"})
    assert (told.status, told.code, told.sent) == (400, "AccessDeniedException", 0)
    says(counted, {"commentsForComparedCommitData": [{"repositoryName": "rep", "comments": [{"commentId": "c1"}]}]})
    counted.call("codecommit", "GetCommentsForComparedCommit", {"repositoryName": "rep", "afterCommitId": "a"})
    assert counted.call("codecommit", "DeleteCommentContent", {"commentId": "c1"}).asked == on(
        REPOSITORY, "DeleteCommentContent"
    )
    says(counted, {"comment": {"commentId": "c2", "inReplyTo": "c1"}})
    assert counted.call("codecommit", "PostCommentReply", {"inReplyTo": "c1", "content": "x"}).asked == on(
        REPOSITORY, "PostCommentReply"
    )
    assert counted.call("codecommit", "GetComment", {"commentId": "c2"}).asked == on(REPOSITORY, "GetComment")


KEYS = [
    Key("codecommit:References", "refs/heads/main", f"codecommit:{name}", name, {**COMMIT, **more},
        {**COMMIT, **more, "branchName": "topic"})
    for name, more in (
        ("CreateBranch", {"commitId": "a"}), ("CreateCommit", {}), ("DeleteBranch", {}),
        ("PutFile", {"filePath": "a", "fileContent": b"a"}), ("DeleteFile", {"filePath": "a", "parentCommitId": "a"}),
    )
] + [
    Key("codecommit:References", "refs/heads/main", f"codecommit:{name}", name, MERGE, {**MERGE, "targetBranch": "topic"})
    for name in ("MergeBranchesByFastForward", "MergeBranchesBySquash", "MergeBranchesByThreeWay")
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_the_branch_that_is_written_decides(counted, key):
    check(Caller.new(counted, f"codecommit-{key.operation}"), "codecommit", key)


def test_a_branch_by_its_whole_name_is_the_same_branch(counted):
    told = counted.call("codecommit", "DeleteBranch", {**COMMIT, "branchName": "refs/heads/main"})
    assert told.context("codecommit:DeleteBranch")["codecommit:references"] == "refs/heads/main"
