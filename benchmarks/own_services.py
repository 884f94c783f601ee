"""iamd's own services beside an empty uvicorn application, moto_server and ministack: H1 to H7."""

from contextlib import ExitStack

import servers
from rounds import Subject, measure
from signed import Callers, client

ROUNDS = 20
COUNTS = {"empty": 2560, "iamd": 1280, "moto": 80, "ministack": 320}
"""How many requests a round has: for each server some tenths of a second's work."""


def run(report, folder):
    """Measure, and tell the report."""
    with ExitStack() as stack:
        running = {
            "iamd": stack.enter_context(servers.iamd(folder)),
            "moto": stack.enter_context(servers.moto()),
            "ministack": stack.enter_context(servers.ministack()),
        }
        callers = {
            name: Callers(server.port, servers.ADMIN if name == "iamd" else servers.TEST)
            for name, server in running.items()
        }
        empty = stack.enter_context(servers.app("empty"))
        cpu = _measured(report, "GetCallerIdentity", running, callers, Callers.caller_identity, empty)
        report.tell("H1", cpu["iamd"] / cpu["empty"])
        report.tell("H2", cpu["moto"] / cpu["iamd"])
        report.tell("H3", cpu["ministack"] / cpu["iamd"])
        cpu = _measured(report, "AssumeRole", running, callers, Callers.assume_role)
        report.tell("H4", cpu["ministack"] / cpu["iamd"])
        report.tell("H5", cpu["moto"] / cpu["iamd"])
        cpu = _measured(report, "GetUser", running, callers, Callers.get_user)
        report.tell("H6", cpu["ministack"] / cpu["iamd"])
        report.tell("H6m", cpu["moto"] / cpu["iamd"])
        cpu = _measured(report, "PutUserPolicy", running, callers, Callers.put_user_policy)
        report.tell("H7", cpu["moto"] / cpu["iamd"])
        report.tell("H7s", cpu["ministack"] / cpu["iamd"])
        for name, server in running.items():
            _check(server.port, callers[name])


def _measured(report, what, running, callers, asked, empty=None):
    """The CPU of a request of each server, by name."""
    subjects = {
        name: Subject(server, asked(callers[name]), COUNTS[name], tree=True) for name, server in running.items()
    }
    if empty is not None:
        requests = [(content, b"ok") for content, _ in subjects["iamd"].requests]
        subjects["empty"] = Subject(empty, requests, COUNTS["empty"])
    measure(subjects.values(), ROUNDS)
    figures = ", ".join(f"{name} {subject.cpu:.0f}" for name, subject in subjects.items())
    report.note(f"{what}, CPU us: {figures}")
    return {name: subject.cpu for name, subject in subjects.items()}


def _check(port, callers):
    """What was answered is true: a session is its role's, and a written policy is there."""
    name, key = next(iter(callers.keys.items()))
    sts = client("sts", port, key)
    given = sts.assume_role(RoleArn=callers.role, RoleSessionName="checked")["Credentials"]
    session = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    who = client("sts", port, session).get_caller_identity()["Arn"]
    if not who.endswith(":assumed-role/bench-role/checked"):
        raise SystemExit(f"the session is of {who}")
    written = client("iam", port, key).get_user_policy(UserName=name, PolicyName="written-1")["PolicyDocument"]
    if not written["Statement"][0]["Resource"].startswith("arn:aws:sqs:us-east-1:*:queue-"):
        raise SystemExit(f"the policy is {written}")
