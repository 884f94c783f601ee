"""The workload of the decision benchmarks: one user's policies of n statements, and requests of which half are allowed.

85 of 100 statements allow; actions and resources are whole names, beginnings and other wildcards; there are NotAction
and variables; 30 of 100 statements have conditions. A request brings 18 or 19 condition keys.

Some statements allow an action on every resource; from 1,000 statements on, most actions have one without conditions.
"""

import random
from dataclasses import dataclass

ACCOUNT = "111122223333"
REGION = "us-east-1"
USER = "ana"
STATEMENTS_PER_POLICY = 40
WHOLE_ARNS = 0.45
"""Of 1, how many resources are named without a wildcard."""
DRAWS = 60
"""How many requests are drawn for one that is wanted, before a set of statements counts as lopsided."""

SERVICES = {
    "s3": (
        "arn:aws:s3:::{a}-{b}/{c}/{d}",
        ("GetObject", "PutObject", "DeleteObject", "GetObjectTagging", "ListBucket"),
    ),
    "sqs": ("arn:aws:sqs:{r}:{n}:{a}-{b}", ("SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")),
    "sns": ("arn:aws:sns:{r}:{n}:{a}-{b}", ("Publish", "Subscribe", "GetTopicAttributes", "ListTagsForResource")),
    "dynamodb": ("arn:aws:dynamodb:{r}:{n}:table/{a}-{b}", ("GetItem", "PutItem", "Query", "Scan", "UpdateItem")),
    "lambda": ("arn:aws:lambda:{r}:{n}:function:{a}-{b}", ("InvokeFunction", "GetFunction", "UpdateFunctionCode")),
    "ec2": ("arn:aws:ec2:{r}:{n}:instance/i-{b}{c}", ("StartInstances", "StopInstances", "TerminateInstances")),
    "logs": ("arn:aws:logs:{r}:{n}:log-group:/{a}/{b}:*", ("PutLogEvents", "CreateLogStream", "FilterLogEvents")),
    "kms": ("arn:aws:kms:{r}:{n}:alias/{a}-{b}", ("CreateAlias", "UpdateAlias", "DeleteAlias")),
    "iam": ("arn:aws:iam::{n}:role/{a}/{b}-{c}", ("GetRole", "PassRole", "ListRolePolicies", "TagRole")),
    "secretsmanager": ("arn:aws:secretsmanager:{r}:{n}:secret:{a}/{b}-{c}", ("GetSecretValue", "DescribeSecret")),
    "ecr": ("arn:aws:ecr:{r}:{n}:repository/{a}/{b}", ("BatchGetImage", "PutImage", "DescribeImages")),
    "states": ("arn:aws:states:{r}:{n}:stateMachine:{a}-{b}", ("StartExecution", "DescribeStateMachine")),
}
TEAMS = ("orders", "billing", "search", "media", "ops", "web", "data", "auth")
KEYS = {
    "aws:RequestedRegion": ("us-east-1", "eu-west-1", "ap-southeast-2"),
    "aws:PrincipalTag/team": TEAMS,
    "aws:ResourceTag/team": TEAMS,
    "aws:ResourceTag/stage": ("dev", "test", "prod"),
    "aws:SourceIp": ("203.0.113.7", "198.51.100.9", "10.1.2.3"),
    "aws:MultiFactorAuthPresent": ("true", "false"),
    "aws:SecureTransport": ("true",),
    "aws:PrincipalOrgID": ("o-a1b2c3d4e5", "o-zzzzzzzzzz"),
    "aws:CurrentTime": ("2026-03-01T12:00:00Z", "2027-03-01T12:00:00Z"),
    "s3:prefix": ("home/ana/x", "home/bob/x", "public/x"),
    "s3:max-keys": ("10", "1000"),
}
CONDITIONS = (
    lambda pick: {"StringEquals": {"aws:ResourceTag/team": pick(TEAMS)}},
    lambda _: {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
    lambda pick: {"StringEquals": {"aws:RequestedRegion": [pick(KEYS["aws:RequestedRegion"]), "us-east-1"]}},
    lambda pick: {"StringNotEquals": {"aws:ResourceTag/stage": pick(KEYS["aws:ResourceTag/stage"])}},
    lambda pick: {"IpAddress": {"aws:SourceIp": [pick(("203.0.113.0/24", "10.0.0.0/8")), "192.0.2.0/24"]}},
    lambda _: {
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "StringLike": {"s3:prefix": ["home/${aws:username}/*"]},
    },
    lambda pick: {"NumericLessThanEquals": {"s3:max-keys": pick(("100", "1000"))}},
    lambda pick: {"DateLessThan": {"aws:CurrentTime": pick(("2026-06-01T00:00:00Z", "2027-06-01T00:00:00Z"))}},
    lambda _: {"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage", "cost"]}},
    lambda _: {"StringLikeIfExists": {"aws:PrincipalOrgID": "o-a1*"}},
)


@dataclass(frozen=True)
class Ask:
    """One request: action, resource, and condition keys by AWS's names."""

    action: str
    resource: str
    context: dict


def statements(count, seed=7, services=tuple(SERVICES), whole=WHOLE_ARNS, *, wide=True):
    """So many statements, as AWS writes them, about these services; of their resources this part are whole ARNs.

    Without `wide`, none is for every resource.
    """
    chance = random.Random(f"{seed}/{count}")
    return [_statement(number, chance, services, whole, wide) for number in range(count)]


def policies(made):
    """The statements as policy documents."""
    return [
        {"Version": "2012-10-17", "Statement": made[at : at + STATEMENTS_PER_POLICY]}
        for at in range(0, len(made), STATEMENTS_PER_POLICY)
    ]


def requests(made, count, seed=7):
    """Requests near the statements: of each some hit, and some miss by a little."""
    chance = random.Random(f"{seed}/{len(made)}/{count}")
    return [_request(chance.choice(made), chance) for _ in range(count)]


def balanced(made, count, is_allowed, seed=7):
    """Requests near the statements, half of which `is_allowed` says yes to; ValueError when there are too few."""
    chance = random.Random(f"{seed}/{len(made)}/{count}/balanced")
    wanted = {True: count // 2, False: count - count // 2}
    kept = []
    for _ in range(DRAWS * count):
        ask = _request(chance.choice(made), chance)
        side = is_allowed(ask)
        if wanted[side]:
            wanted[side] -= 1
            kept.append(ask)
            if len(kept) == count:
                chance.shuffle(kept)
                return kept
    raise ValueError(
        f"of {len(made)} statements, {wanted[True]} allowed and {wanted[False]} denied requests are missing"
    )


def _fill(template, chance):
    return template.format(
        r=REGION,
        n=ACCOUNT,
        a=chance.choice(TEAMS),
        b=chance.randrange(3000),
        c=chance.randrange(40),
        d=chance.randrange(9),
    )


def _statement(number, chance, services, whole, wide):
    service = chance.choice(services)
    template, names = SERVICES[service]
    deny = chance.random() < 0.15
    made = {"Sid": f"S{number}", "Effect": "Deny" if deny else "Allow"}
    made["NotAction" if not deny and chance.random() < 0.01 else "Action"] = _actions(service, names, chance)
    made["Resource"] = _resources(template, chance, whole, narrow=deny or not wide)
    if chance.random() < 0.30:
        made["Condition"] = chance.choice(CONDITIONS)(chance.choice)
    return made


def _actions(service, names, chance):
    form = chance.random()
    if form < 0.6:
        return [f"{service}:{name}" for name in chance.sample(names, chance.randint(1, 2))]
    if form < 0.9:
        return [f"{service}:{chance.choice(names)[:3]}*"]
    return [f"{service}:*"] if form < 0.97 else [f"{service}:?et*", f"{service}:*Item"]


def _resources(template, chance, whole, *, narrow):
    found = []
    for _ in range(chance.randint(1, 3)):
        arn, form = _fill(template, chance), chance.random()
        if form < whole:
            found.append(arn)
        elif form < 0.85:
            found.append(arn[: -chance.randint(1, 3)] + "*")
        elif form < 0.92:
            found.append(f"{arn}/${{aws:username}}/*")
        elif form < 0.98 or narrow:
            head, _, tail = arn.rpartition(":")
            found.append(f"{head}:{_kept(tail)}*{tail[-4:]}")
        else:
            found.append("*")
    return found


def _kept(tail):
    # AWS takes no wildcard for the type of an IAM resource ("IAM resource path must either be ...").
    return "role/" if tail.startswith("role/") else ""


def _request(near, chance):
    pattern = chance.choice(near["Resource"])
    service = near.get("Action", near.get("NotAction"))[0].partition(":")[0]
    template, names = SERVICES[service]
    wanted = chance.choice(near.get("Action") or [f"{service}:*"])
    fitting = [name for name in names if _like(wanted.partition(":")[2], name)] or list(names)
    action = f"{service}:{chance.choice(fitting if chance.random() < 0.85 else names)}"
    resource = _fill(template, chance) if pattern == "*" else pattern.replace("${aws:username}", USER)
    resource = resource.replace("*", chance.choice(("", "1", "/x/1")))
    if chance.random() < 0.15:
        resource = resource[:-1] + "9"
    return Ask(action, resource, _context(chance))


def _like(pattern, name):
    head, star, tail = pattern.partition("*")
    return name.startswith(head.replace("?", "G")) and name.endswith(tail) if star else pattern == name


def _context(chance):
    keys = {name: chance.choice(values) for name, values in KEYS.items()}
    keys |= {
        "aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/{USER}",
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalType": "User",
        "aws:userid": "AIDAEXAMPLEANA",
        "aws:username": USER,
        "aws:UserAgent": "Boto3/1.44.5 md/Botocore#1.44.5",
        "aws:EpochTime": "1772366400",
    }
    if chance.random() < 0.5:
        keys["aws:TagKeys"] = ["team", chance.choice(("stage", "owner"))]
    return keys
