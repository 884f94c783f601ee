"""Random near-miss cases of IAM policy evaluation.

A case is built so that it would be allowed: a caller, a target, a route by which it is granted, the policies that
may limit it. Then at most one of the places where something can go wrong, counted as the case is built, is spoiled
by a small mutation: a character more or less, another case, a wildcard in place of a part, another segment. A few
extra statements and conditions follow no plan.

Run `python tests/policy/near_misses.py --stats N` for the share of outcomes, deciding policy types and kinds of callers.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

Json = Any
Map = dict[str, Any]
T = TypeVar("T")

HOME, OTHER, NEAR = "111122223333", "444455556666", "111122223334"
CANONICAL = {HOME: "79a59df900b949e55d96a1e698fbaced", OTHER: "0123456789abcdef0123456789abcdef"}

# --- Vocabulary ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """An action and the ARN of what it works on; `{a}` is the owner's account."""

    action: str
    resource: str
    has_policy: bool = True


OBJECTS = (
    Target("s3:GetObject", "arn:aws:s3:::data/home/ana/x"),
    Target("s3:PutObject", "arn:aws:s3:::data/red/2020/report.txt"),
    Target("s3:GetObject", "arn:aws:s3:::data/a*b?c"),
    Target("s3:GetObject", "arn:aws:s3:::data/two\nlines"),
    Target("s3:DeleteObject", "arn:aws:s3:::data//\u212aelvin/\u017fs"),
    Target("s3:GetObject", "arn:aws:s3:::data/${aws:username}/x"),
    Target("s3:ListBucket", "arn:aws:s3:::data"),
)
QUEUES = (
    Target("sqs:SendMessage", "arn:aws:sqs:us-east-1:{a}:q-main"),
    Target("sns:Publish", "arn:aws:sns:us-east-1:{a}:red-web-1"),
)
SERVICES = (
    Target("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:{a}:function:f:1"),
    Target("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:{a}:table/books"),
    Target("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:{a}:secret:db/ana-AbC123"),
)
WITHOUT_POLICY = (
    Target("ec2:StartInstances", "arn:aws:ec2:us-east-1:{a}:instance/i-1", False),
    Target("iam:GetUser", "arn:aws:iam::{a}:user/div/ana", False),
    Target("iam:ListAccessKeys", "arn:aws:iam::{a}:user/ana", False),
    Target("iam:PassRole", "arn:aws:iam::{a}:role/app/worker", False),
)
WITHOUT_RESOURCE = (
    Target("ec2:DescribeInstances", "*", False),
    Target("s3:ListAllMyBuckets", "*", False),
    Target("kms:CreateKey", "*", False),
)
KEYS = (
    Target("kms:Decrypt", "arn:aws:kms:us-east-1:{a}:key/k-1"),
    Target("kms:ScheduleKeyDeletion", "arn:aws:kms:eu-west-1:{a}:key/mrk-2"),
)
ROLE = "arn:aws:iam::{a}:role/app/target"
TRUSTS = (
    Target("sts:AssumeRole", ROLE),
    Target("sts:AssumeRole", "arn:aws:iam::{a}:role/target"),
    Target("sts:TagSession", ROLE),
    Target("sts:SetSourceIdentity", ROLE),
)
UNSIGNED_TRUSTS = (
    Target("sts:AssumeRoleWithSAML", ROLE),
    Target("sts:AssumeRoleWithWebIdentity", ROLE),
)
UNCONTROLLED = (
    Target("sts:GetCallerIdentity", "*", False),
    Target("sts:GetSessionToken", "*", False),
    Target("sts:getcalleridentity", "*", False),
)
ORDINARY = OBJECTS + QUEUES + SERVICES + WITHOUT_POLICY
SHAREABLE = OBJECTS + QUEUES + SERVICES

NAMES = ("ana", "bob", "Ana", "app/eve", "div/sub/jane")
ROLES = ("worker", "app/worker", "div/sub/audit")
SESSION_NAMES = ("s1", "s2", "i-0abc", "ana@example.com")
SERVICE_PRINCIPALS = ("cloudtrail.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com", "sns.amazonaws.com")
SAML = f"arn:aws:iam::{HOME}:saml-provider/corp"
OIDC = f"arn:aws:iam::{HOME}:oidc-provider/token.example.com/o/1"
WEB_IDENTITIES = (OIDC, "accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com")

OTHER_PRINCIPALS = (
    ("AWS", f"arn:aws:iam::{HOME}:user/zoe"),
    ("AWS", f"arn:aws:iam::{OTHER}:root"),
    ("AWS", "777788889999"),
    ("AWS", f"arn:aws:iam::{HOME}:role/other"),
    ("AWS", f"arn:aws:sts::{HOME}:assumed-role/worker/s9"),
    ("AWS", f"arn:aws:iam::{HOME}:user/*"),
    ("AWS", "AIDADELETEDUSEREXAMPLE"),
    ("Service", "events.amazonaws.com"),
    ("Federated", "www.amazon.com"),
    ("CanonicalUser", "ffffffffffffffffffffffffffffffff"),
)
OTHER_ACTIONS = (
    "iam:CreateUser",
    "ec2:*",
    "s3:ListBucketVersions",
    "s3:Get Object",
    "sqs:",
    "kms:Encrypt",
    "S3:Put*Acl",
    "sts:*X",
)
OTHER_RESOURCES = (
    "arn:aws:s3:::logs/*",
    "arn:aws:s3:::dat",
    f"arn:aws:sqs:us-east-2:{HOME}:q-main",
    "arn:aws:ec2:*:*:volume/*",
    "arn:aws:kms:*:*:alias/*",
    "arn:aws:s3:::data/${aws:PrincipalTag/none}",
    "arn:aws:iam::*:group/?*",
)

STRINGS = (
    "red",
    "Prod",
    "home/ana/",
    "a*b",
    "x:y/z",
    "${aws:username}",
    "Stra\u00dfe",
    "\u212aelvin",
    "kelvin",
    "\u017ftop",
    "\u03a3\u0399\u03a3\u03a5\u03a6\u039f\u03a3",
    "two\nlines",
    "",
    "\u0130d",
    "10",
    "what?",
    "it's, so",
    "$5",
    "*",
    "\U0001f511key",
)
STRING_KEYS = (
    "aws:PrincipalTag/team",
    "aws:ResourceTag/Env",
    "aws:RequestTag/cost center",
    "s3:prefix",
    "sts:ExternalId",
    "aws:PrincipalOrgID",
    "aws:SourceVpce",
)
STRING_OPERATORS = ("StringEquals", "StringLike", "StringEqualsIgnoreCase")
NEGATED = {
    "StringEquals": "StringNotEquals",
    "StringLike": "StringNotLike",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
    "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike",
}

NUMBERS: tuple[Json, ...] = ("10", "10.0", "+10", "1e1", 10, "100e-1", "10.00", "1.0E+1")
NEAR_NUMBERS: tuple[Json, ...] = ("9.99", "-10", "11", "1e2", 9, 2.5, "0", "10.0000000000000000001", "9007199254740993")
BAD_NUMBERS: tuple[Json, ...] = ("10abc", "0x10", "NaN", "", " 10", "1 0", "ten", "\u0661\u0660", "Infinity", True)
NUMBER_KEYS = ("s3:max-keys", "aws:MultiFactorAuthAge", "s3:object-lock-remaining-retention-days")
ORDERED = ("Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")

DATES: tuple[Json, ...] = (
    "2020-01-01T00:00:00Z",
    "2019-12-31T19:00:00-05:00",
    "2020-01-01T05:30:00+05:30",
    "2020-01-01",
    "2020-01",
    "1577836800",
    "1577836800.0",
    "1577836800000",
    1577836800,
    "2020-01-01T00:00Z",
    "2020-01-01T00:00:00",
    "2020-01-01T00:00:00.000Z",
)
NEAR_DATES: tuple[Json, ...] = (
    "2020-01-01T00:00:01Z",
    "2019-12-31T23:59:59.999Z",
    "2020-01-02",
    "2019-12",
    "1577836799",
    "1577836800.5",
    "1577836801000",
    "2020",
    "2020-01-01T00:00:00+00:01",
    "99999999999",
)
BAD_DATES: tuple[Json, ...] = ("2020-13-01", "2021-02-29", "yesterday", "", "2020-01-01T25:00:00Z", "01/01/2020")
DATE_KEYS = ("aws:CurrentTime", "aws:TokenIssueTime", "aws:EpochTime")

BOOLEANS: tuple[Json, ...] = ("true", "false", "TRUE", "False", "tRue", True, False, "asdf", "", "1", "yes")
BOOL_KEYS = ("aws:SecureTransport", "aws:MultiFactorAuthPresent", "aws:ViaAWSService", "aws:PrincipalIsAWSService")

ADDRESSES = (
    "203.0.113.5",
    "203.0.113.77",
    "198.51.100.1",
    "2001:db8::1",
    "2001:0DB8:0:0:0:0:0:1",
    "::ffff:203.0.113.5",
    "::ffff:cb00:7105",
    "2001:db9::1",
)
RANGES = (
    "203.0.113.0/24",
    "203.0.113.5",
    "203.0.113.77/24",
    "203.0.113.4/30",
    "203.0.113.6/31",
    "0.0.0.0/0",
    "::/0",
    "2001:db8::/32",
    "2001:DB8:0::1/64",
    "2001:DB8::1",
    "::ffff:203.0.113.0/120",
    "::ffff:203.0.113.5",
    "198.51.100.0/25",
)
BAD_ADDRESSES = (
    "203.0.113.5/33",
    "203.0.113",
    "localhost",
    "",
    "2001:db8::/129",
    "203.0.113.0/",
    "256.0.0.1",
    "1.2.3.4/a",
)
IP_KEYS = ("aws:SourceIp", "aws:VpcSourceIp")

ARNS = (
    f"arn:aws:sns:us-east-1:{HOME}:red-web-1",
    f"arn:aws:lambda:us-east-1:{HOME}:function:f:1",
    f"arn:aws:iam::{OTHER}:role/app/worker",
    "arn:aws:s3:::data",
    "arn:aws:cloudtrail:us-east-1:111122223333:trail/t*",
)
BAD_ARNS = ("not-an-arn", "", "arn:aws:s3:data", "*", "arn:aws:sns:us-*:red-web-1")
ARN_KEYS = ("aws:SourceArn", "lambda:FunctionArn", "iam:PermissionsBoundary")

BINARIES = ("QmluYXJ5VmFsdWVJbkJhc2U2NA==", "ASIAIOSFODNN7EXAMPLE", "AAEC", "AAE=", "AA==", "")
BAD_BINARIES = ("not base64!", "A", "====")

TAG_LISTS: tuple[list[str], ...] = (
    ["env"],
    ["env", "cost"],
    ["Env", "cost"],
    ["env", "cost", "p1"],
    ["p1", "p2"],
    ["env", ""],
    [""],
    [],
    ["a*", "env"],
    ["\u212aey"],
)
TAG_PATTERNS = ("env", "cost", "p*", "e?v", "Env", "a${*}", "*", "", "key", "p1", "env\n")
LIST_KEYS = ("aws:TagKeys", "aws:CalledVia", "aws:PrincipalOrgPaths")

BAD_OPERATORS = (
    "StringEqualz",
    "stringequals",
    "NumericEqual",
    "NullIfExists",
    "ForEachValue:StringEquals",
    "ForAllValues:StringIs",
    "NotBool",
    "BinaryNotEquals",
    "StringEqualsifexists",
    "NotIpAddresses",
)

ALLOW_ALL: Map = {"Effect": "Allow", "Action": "*", "Resource": "*"}
LOOK_ALIKES = {"k": "\u212a", "K": "\u212a", "s": "\u017f", "a": "\u0430", "o": "\u03bf", "i": "\u0131", "e": "\u00e9"}


@dataclass
class Scene:
    """What is known about the case while it is built."""

    principal: str
    kind: str
    account: str | None
    owner: str
    action: str
    resource: str
    context: Map
    request: Map
    trust: bool
    has_policy: bool
    entity: str = ""  # the role or user behind a session


# --- The maker -------------------------------------------------------------------------------------------------------


class Maker:
    """Builds cases from one stream of random numbers."""

    def __init__(self, seed: int) -> None:
        """Start the stream."""
        self.rng = random.Random(seed)
        self.r = self.rng.random
        self.countdown = -1

    def pick(self, items: Sequence[T]) -> T:
        """Choose one."""
        return items[int(self.r() * len(items))]

    def chance(self, share: float) -> bool:
        """Say yes in this share of the calls."""
        return self.r() < share

    def spoil(self) -> bool:
        """Tell whether this is the place to go wrong; at most one in a case is."""
        self.countdown -= 1
        return self.countdown == 0

    # --- Text mutations

    def miss_text(self, text: str) -> str:
        """Change a text a little, mostly so that it no longer matches."""
        if not text:
            return self.pick(("x", "*", "?", " "))
        where = int(self.r() * len(text))
        before, char, after = text[:where], text[where], text[where + 1 :]
        roll = int(self.r() * 7)
        if roll == 0:
            return before + after
        if roll == 1:
            return before + char + char + after
        if roll == 2:
            return before + char.swapcase() + after
        if roll == 3:
            return before + self.pick("x?-0") + after
        if roll == 4:
            return text + self.pick(("x", "/", "?", " ", "/*", "\n"))
        if roll == 5:
            return before + LOOK_ALIKES.get(char, "\u00e9") + after
        return before + char + "?" + after

    def widen_text(self, text: str) -> str:
        """Make a pattern that matches the text."""
        roll = int(self.r() * 7)
        where = int(self.r() * (len(text) + 1))
        if roll < 2 or not text:
            return text
        if roll == 2:
            return text[:where] + "*"
        if roll == 3:
            return "*" + text[where:]
        if roll == 4:
            return text[:where] + "?" + text[where + 1 :] if where < len(text) else text + "*"
        if roll == 5:
            return text[: where // 2] + "*" + text[where:]
        return "*"

    def flip_case(self, text: str) -> str:
        """Write a text in another case."""
        return self.pick((text.lower(), text.upper(), text.swapcase()))

    def widen_action(self, action: str) -> str:
        """Make an action pattern that matches."""
        roll = self.r()
        if roll < 0.35:
            return action
        if roll < 0.5:
            return "*" if roll < 0.47 else "*:*"
        service, _, name = action.partition(":")
        if roll < 0.6:
            return self.flip_case(action)
        return f"{service}:{self.widen_text(name) or '*'}"

    def miss_action(self, action: str) -> str:
        """Make an action pattern that mostly does not match."""
        service, _, name = action.partition(":")
        roll = int(self.r() * 5)
        if roll == 0:
            return f"{self.miss_text(service).replace('*', 'x').replace('?', 'x') or 'x'}:{name}"
        if roll == 1:
            return self.pick(OTHER_ACTIONS)
        if roll == 2:
            # What has no service, or one with a wildcard, is no action at all: the laws look at those.
            return self.pick((f"{service}:", f"{service}:{name} "))
        return f"{service}:{self.miss_text(name)}"

    def widen_arn(self, arn: str, context: Map, variables: bool = True) -> str:
        """Make an ARN pattern that matches, the literal `*` and `?` of the ARN escaped or not."""
        roll = self.r()
        if arn == "*" or roll < 0.15:
            return "*"
        parts = arn.split(":", 5)
        if roll < 0.4:
            return arn
        if roll < 0.65:
            parts[5] = self.widen_text(parts[5])
        elif roll < 0.78:
            where = int(self.r() * 3) + 2
            parts[where] = self.widen_text(parts[where]) if parts[where] else "*"
            parts[5] = self.pick((parts[5], "*"))
        elif roll < 0.84:
            return self.pick(("arn:aws:" + parts[2], "arn:aws:" + parts[2] + ":*", "arn:*", "arn:aws:*:*", "*:aws:*"))
        elif variables:
            parts[5] = self.with_variable(parts[5], context)
        return ":".join(parts)

    def with_variable(self, text: str, context: Map) -> str:
        """Put a variable or an escape in place of a part that it stands for."""
        if "*" in text or "?" in text:
            return text.replace("*", "${*}").replace("?", "${?}")
        if "$" in text:
            return text.replace("$", "${$}")
        for key in ("aws:username", "aws:PrincipalTag/team"):
            value = context.get(key)
            if isinstance(value, str) and value and value in text:
                return text.replace(value, "${" + self.key_case(key) + "}", 1)
        half = len(text) // 2
        return text[:half] + "${aws:PrincipalTag/none," + self.pick((" ", "")) + "'" + text[half:] + "'}"

    def miss_arn(self, arn: str, context: Map) -> str:
        """Make an ARN pattern that mostly does not match."""
        if arn == "*":
            return self.pick(("arn:aws:ec2:*:*:*", "arn:*", "**", "arn:aws:ec2:*:*:instance/*"))
        parts = arn.split(":", 5)
        roll = int(self.r() * 12)
        if roll < 4:
            parts[5] = self.miss_text(parts[5])
        elif roll == 4:
            parts[4] = NEAR if parts[4] != NEAR else HOME
        elif roll == 5:
            parts[3] = self.pick(("us-west-2", "US-EAST-1", "us-", "u*2"))
        elif roll == 6:
            parts[self.pick((1, 2))] += self.pick(("x", "-cn", "?"))
        elif roll == 7:
            del parts[self.pick((3, 4))]
        elif roll == 8:
            return self.pick(OTHER_RESOURCES)
        elif roll == 9:  # a wildcard does not stand for the colon after it
            parts[3:5] = [self.pick(("*", parts[3][:3] + "*"))]
        elif roll == 10:  # a wildcard that comes from a tag is none
            context["aws:PrincipalTag/wild"] = self.pick(("*", parts[5][:3] + "*", "?" * len(parts[5])))
            parts[5] = "${aws:PrincipalTag/wild}"
        else:
            return self.pick((arn.upper(), arn[:-1], f"{arn}/", arn.replace(":", ":*", 1), ":".join(parts[:4]) + "*"))
        return ":".join(parts)

    def key_case(self, key: str) -> str:
        """Write a condition key, sometimes in another case."""
        return self.flip_case(key) if self.chance(0.1) else key

    # --- Conditions

    def condition(self, scene: Scene, want: bool) -> tuple[str, str, Json]:
        """Make a condition that mostly has the wanted truth, and the context it looks at."""
        operator, key, values, present = self.pick(FAMILIES)(self, scene.context, want)
        if operator != "Null":
            if self.chance(0.15):
                operator += "IfExists"
            if self.chance(0.05) and ":" not in operator:
                operator = self.pick(("ForAllValues:", "ForAnyValue:")) + operator
        elif self.chance(0.04):
            operator = self.pick(("ForAllValues:Null", "ForAnyValue:Null"))
        if not present or self.chance(0.06):
            if key not in KEPT:
                scene.context.pop(key, None)
        elif self.chance(0.04) and key not in KEPT:
            value = scene.context.get(key, "x") if self.chance(0.5) else scene.context.pop(key, "x")
            scene.context[self.flip_case(key)] = value
            scene.context[key.swapcase()] = self.pick(STRINGS)
        if isinstance(values, list) and len(values) == 1 and self.chance(0.6):
            values = values[0]
        return operator, self.key_case(key), values

    def negate(self, operator: str, want: bool) -> tuple[str, bool]:
        """Choose the operator or its negated twin, and whether the values should match."""
        if operator in NEGATED and self.chance(0.3):
            return NEGATED[operator], not want
        return operator, want

    def string_condition(self, context: Map, want: bool) -> tuple[str, str, Json, bool]:
        """Make a condition on a text, now and then with a variable, default or escape."""
        key = self.pick(STRING_KEYS)
        value = context.setdefault(key, self.pick(STRINGS))
        if not isinstance(value, str):
            value = str(value)
        operator, match = self.negate(self.pick(STRING_OPERATORS), want)
        text = value
        if "Like" in operator:
            text = self.widen_text(value)
        elif "IgnoreCase" in operator:
            text = self.flip_case(value)
        if self.chance(0.25):
            text = self.variable_for(key, value, context)
        if not match:
            text = (
                self.miss_text(text) if "${" not in text else self.pick(("blue", "${aws:PrincipalTag/none}", "$" + "{"))
            )
            if self.chance(0.2):
                context["aws:PrincipalTag/wild"] = self.widen_text(value)
                text = "${aws:PrincipalTag/wild}"
        values = [text]
        if self.chance(0.3):
            values.insert(int(self.r() * 2), self.pick(("blue", "${aws:PrincipalTag/none}", "gr*n", "${aws:TagKeys}")))
        return operator, key, values, True

    def variable_for(self, key: str, value: str, context: Map) -> str:
        """Make a policy text that becomes the value."""
        roll = int(self.r() * 6)
        if roll == 5 and self.chance(0.5):
            context["aws:TagKeys"] = [value]
            return "${aws:TagKeys}" if self.chance(0.5) else "${aws:TagKeys, '" + value.replace("}", "") + "'}"
        if roll == 0:
            context.setdefault("aws:PrincipalTag/copy", value)
            return "${" + self.key_case("aws:PrincipalTag/copy") + "}"
        if roll == 1 and "}" not in value:
            return "${aws:PrincipalTag/none, '" + value + "'}"
        if roll == 2:
            return "${" + key + ", 'unused'}"
        if roll == 3:
            return value.replace("$", "${$}").replace("*", "${*}").replace("?", "${?}")
        return "${" + key + "}"

    def number_condition(self, context: Map, want: bool) -> tuple[str, str, Json, bool]:
        """Make a condition on a number."""
        key, relation = self.pick(NUMBER_KEYS), self.pick(ORDERED)
        return self.ordered("Numeric", key, relation, (NUMBERS, NEAR_NUMBERS, BAD_NUMBERS), context, want)

    def date_condition(self, context: Map, want: bool) -> tuple[str, str, Json, bool]:
        """Make a condition on a date."""
        return self.ordered(
            "Date", self.pick(DATE_KEYS), self.pick(ORDERED), (DATES, NEAR_DATES, BAD_DATES), context, want
        )

    def ordered(
        self, family: str, key: str, relation: str, pools: tuple[Sequence[Json], ...], context: Map, want: bool
    ) -> tuple[str, str, Json, bool]:
        """Compare equal or nearly equal values in different forms."""
        same, near, bad = pools
        operator, match = self.negate(family + relation, want)
        value = context.setdefault(key, self.pick(same))
        policy = self.pick(same) if match and "Equal" in relation else self.pick(near)
        if self.chance(0.06):
            policy = self.pick(bad)
        if self.chance(0.05) and value in same:
            context[key] = self.pick(bad)
        values = [policy]
        if self.chance(0.2):
            values.append(self.pick(near if self.chance(0.8) else bad))
        return operator, key, values, True

    def bool_condition(self, context: Map, want: bool) -> tuple[str, str, Json, bool]:
        """Make a condition on a boolean in odd forms."""
        key = self.pick(BOOL_KEYS)
        value = context.setdefault(key, self.pick(BOOLEANS))
        truth = str(value).lower() == "true"
        policy: Json = self.pick(
            ("true", "TRUE", "True", True) if truth == want else ("false", "False", "fALSE", False)
        )
        if self.chance(0.12):
            odd = ("", "asdf", "1", "${aws:PrincipalTag/none}", "${aws:PrincipalTag/none, 'true'}", "${" + key + "}")
            policy = self.pick(odd)
        return "Bool", key, [policy], True

    def ip_condition(self, context: Map, want: bool) -> tuple[str, str, Json, bool]:
        """Make a condition on an address."""
        key = self.pick(IP_KEYS)
        value = context.setdefault(key, self.pick(ADDRESSES))
        operator, match = self.negate("IpAddress", want)
        values = [str(value)] if match and self.chance(0.5) else [self.pick(RANGES)]
        if self.chance(0.3):
            values.append(self.pick(RANGES))
        if self.chance(0.07):
            values.insert(int(self.r() * 2), self.pick(BAD_ADDRESSES))
        if self.chance(0.04):
            context[key] = self.pick(BAD_ADDRESSES)
        return operator, key, values, True

    def arn_condition(self, context: Map, want: bool) -> tuple[str, str, Json, bool]:
        """Make a condition on an ARN."""
        key = "aws:PrincipalArn" if "aws:PrincipalArn" in context and self.chance(0.5) else self.pick(ARN_KEYS)
        value = context.setdefault(key, self.pick(ARNS))
        operator, match = self.negate(self.pick(("ArnEquals", "ArnLike")), want)
        if not isinstance(value, str) or value.count(":") < 5:
            return operator, key, [self.pick(ARNS)], True
        values = [self.widen_arn(value, context) if match else self.miss_arn(value, context)]
        if values == ["*"]:
            values = ["arn:*:*:*:*:*"]
        if self.chance(0.2):
            values.append(self.pick((*ARNS, "arn:aws:sns:*:${aws:PrincipalAccount}:*")))
        if self.chance(0.07):
            values.insert(int(self.r() * 2), self.pick(BAD_ARNS))
        if self.chance(0.04) and key != "aws:PrincipalArn":
            context[key] = self.pick(BAD_ARNS)
        return operator, key, values, True

    def binary_condition(self, context: Map, want: bool) -> tuple[str, str, Json, bool]:
        """Make a condition on bytes."""
        value = context.setdefault("app:Blob", self.pick(BINARIES))
        policy = value if want else self.pick(BINARIES)
        if self.chance(0.05):
            policy = self.pick(BAD_BINARIES)
        if self.chance(0.05):
            context["app:Blob"] = self.pick(BAD_BINARIES)
        return "BinaryEquals", "app:Blob", [policy], True

    def null_condition(self, context: Map, want: bool) -> tuple[str, str, Json, bool]:
        """Make a condition on whether a key is there."""
        key = self.pick(STRING_KEYS + LIST_KEYS)
        present = self.chance(0.6)
        if present:
            context.setdefault(key, list(self.pick(TAG_LISTS)) if key in LIST_KEYS else self.pick(STRINGS))
        absent = not present or context[key] in ("", [], [""])
        policy: Json = self.pick(("true", True, "True") if absent == want else ("false", False, "FALSE"))
        if self.chance(0.04):
            return "Null", key, self.pick((["true", "false"], [], ["null"], [""])), present
        return "Null", key, [policy], present

    def list_condition(self, context: Map, want: bool) -> tuple[str, str, Json, bool]:
        """Make a condition with a set operator over partly overlapping lists."""
        key = self.pick(LIST_KEYS)
        value = context.setdefault(key, list(self.pick(TAG_LISTS)))
        held = value if isinstance(value, list) else [value]
        operator, match = self.negate(self.pick(STRING_OPERATORS), want)
        values = [self.pick(TAG_PATTERNS) for _ in range(int(self.r() * 3))]
        if match:
            values += held if self.chance(0.7) else held[:1]
        prefix = self.pick(("ForAllValues:", "ForAnyValue:"))
        return ("" if self.chance(0.06) else prefix) + operator, key, values, self.chance(0.9)

    def conditions(self, scene: Scene, share: float = 0.35) -> Map | None:
        """Make a Condition block that mostly holds; broken when it is the place to go wrong."""
        if not self.chance(share):
            return {} if self.chance(0.01) else None
        block: Map = {}
        for _ in range(1 if self.chance(0.75) else 2):
            operator, key, values = self.condition(scene, want=not self.spoil())
            block.setdefault(operator, {})[key] = values
        return block

    # --- Statements and documents

    def listed(self, value: str, others: Sequence[str]) -> Json:
        """Put a value alone, in a list, or among others."""
        roll = self.r()
        if roll < 0.6:
            return value
        if roll < 0.75:
            return [value]
        return [self.pick(others), value] if roll < 0.9 else [value, self.pick(others)]

    def statement(
        self, scene: Scene, effect: str = "Allow", share: float = 0.35, broad: float = 0.0, trust: bool = False
    ) -> Map:
        """Make a statement about the request's action and resource (a trust policy has none), without principal."""
        if self.chance(broad):
            made = dict(ALLOW_ALL, Effect=effect)
            self.countdown -= 1
            if self.countdown == 0:
                made["Action"] = self.miss_action(scene.action)
        else:
            made = {"Effect": effect}
            self.put_action(made, scene)
            if not trust:
                self.put_resource(made, scene)
        block = self.conditions(scene, share)
        if block is not None:
            made["Condition"] = block
        if self.chance(0.1):
            made["Sid"] = self.pick(("One", "Two", "", "1"))
        return made

    def put_action(self, made: Map, scene: Scene) -> None:
        """Add an Action or NotAction."""
        spoilt = self.spoil()
        if self.chance(0.08):
            hit = self.widen_action(scene.action) if spoilt else self.miss_action(scene.action)
            made["NotAction"] = self.listed(hit, OTHER_ACTIONS)
        else:
            hit = self.miss_action(scene.action) if spoilt else self.widen_action(scene.action)
            made["Action"] = self.listed(hit, OTHER_ACTIONS)

    def put_resource(self, made: Map, scene: Scene) -> None:
        """Add a Resource or NotResource."""
        spoilt = self.spoil()
        if self.chance(0.08) and scene.resource != "*":
            hit = (
                self.widen_arn(scene.resource, scene.context)
                if spoilt
                else self.miss_arn(scene.resource, scene.context)
            )
            made["NotResource"] = self.listed(hit, OTHER_RESOURCES)
        else:
            hit = (
                self.miss_arn(scene.resource, scene.context)
                if spoilt
                else self.widen_arn(scene.resource, scene.context)
            )
            made["Resource"] = self.listed(hit, OTHER_RESOURCES)

    def deny(self, scene: Scene) -> Map:
        """Make a Deny statement that just misses in most cases."""
        saved, self.countdown = self.countdown, 1 + int(self.r() * 2.4)
        made = self.statement(scene, "Deny", share=0.5)
        self.countdown = saved
        return made

    def noise(self) -> Map:
        """Make a statement about something else."""
        return {"Effect": "Allow", "Action": self.pick(OTHER_ACTIONS), "Resource": self.pick(OTHER_RESOURCES)}

    def document(self, statements: list[Map]) -> Json:
        """Put statements in a document of one of the versions."""
        roll = self.r()
        made: Map = {} if roll > 0.95 else {"Version": "2012-10-17" if roll < 0.9 else "2008-10-17"}
        if len(statements) == 2 and self.chance(0.5):
            statements.reverse()
        made["Statement"] = statements[0] if len(statements) == 1 and self.chance(0.3) else statements
        return json.dumps(made, ensure_ascii=self.chance(0.5)) if self.chance(0.03) else made

    def policy(self, scene: Scene, share: float, broad: float = 0.0, deny: float = 0.12) -> Json:
        """Make a policy without principals that allows the request, noise and near-miss denies beside it."""
        statements = [self.statement(scene, share=share, broad=broad)]
        if self.chance(0.15):
            statements.append(self.noise())
        if self.chance(deny):
            statements.append(self.deny(scene))
        return self.document(statements)

    # --- Principals

    def names(self, scene: Scene) -> list[tuple[str, str, str]]:
        """List the entries that name the caller: class, map key, entry."""
        if scene.kind == "anonymous":
            return []
        if scene.kind == "service":
            return [("direct", "Service", scene.principal)]
        if scene.kind == "federated":
            return [("direct", "Federated", scene.principal)]
        account = str(scene.account)
        names = [("account", "AWS", account), ("account", "AWS", f"arn:aws:iam::{account}:root")]
        if scene.action.startswith("s3:") and "canonical_id" in scene.request:
            names.append(("account", "CanonicalUser", scene.request["canonical_id"]))
        if scene.kind == "root":
            return names
        names.append(("direct", "AWS", scene.principal))
        unique_id = scene.request.get("unique_id")
        if unique_id:
            names.append(("direct" if scene.kind == "user" else "entity", "AWS", unique_id))
        if scene.kind in ("role", "federated-user"):
            names.append(("entity", "AWS", scene.entity))
        return names

    def principal(self, scene: Scene, effect: str = "Allow", everyone: float = 0.15) -> Json:
        """Make a Principal element that names the caller, or nearly does."""
        spoilt = self.spoil()
        names = self.names(scene)
        only_named = scene.kind == "federated" and effect == "Allow"
        if not names or (self.chance(everyone) and not only_named and not spoilt):
            return {"AWS": self.pick(("*", ["*"]))} if self.chance(0.4) and scene.kind != "service" else "*"
        _, key, entry = self.pick(names)
        if spoilt:
            key, entry = self.miss_principal(key, entry)
        made: Map = {key: entry if self.chance(0.6) else [entry]}
        if self.chance(0.25):
            other, value = self.pick(OTHER_PRINCIPALS)
            held = made.get(other, [])
            made[other] = [*(held if isinstance(held, list) else [held]), value]
        return made

    def miss_principal(self, key: str, entry: str) -> tuple[str, str]:
        """Name another principal, very much alike."""
        roll = int(self.r() * 6)
        if roll == 0:
            return key, self.miss_text(entry)
        if roll == 1:
            return ("AWS", "*") if key == "Service" else (key, entry.swapcase())
        if roll == 2:
            return key, entry.rpartition("/")[0] + "/*" if "/" in entry else entry[:-1] + "*"
        if roll == 3:
            return {"AWS": "Service", "Service": "AWS", "Federated": "Service"}.get(key, "AWS"), entry
        if roll == 4:
            return key, entry.replace(HOME, NEAR) if HOME in entry else entry.replace(OTHER, HOME) + "x"
        return self.pick(OTHER_PRINCIPALS)

    def not_principal(self, scene: Scene, complete: bool) -> Json:
        """Make a NotPrincipal element that lists the caller's whole chain, or not quite."""
        made: Map = {}
        wanted = {"account", "direct"} | ({"entity"} if scene.kind in ("role", "federated-user") else set())
        if scene.kind in ("service", "federated"):
            wanted = {"direct"}
        for grant, key, entry in self.names(scene):
            if grant in wanted and (complete or self.chance(0.5)):
                made.setdefault(key, []).append(entry)
                wanted.discard(grant)
        if not made or self.chance(0.05):
            return "*" if self.chance(0.3) else {"AWS": [self.pick(OTHER_PRINCIPALS[:6])[1]]}
        return made

    def resource_statement(self, scene: Scene, effect: str = "Allow", everyone: float = 0.15) -> Map:
        """Make a statement of a resource's policy."""
        made = self.statement(scene, effect, share=0.3 if effect == "Allow" else 0.45, trust=scene.trust)
        roll = self.r()
        if effect == "Deny" and roll < 0.3 and not scene.trust:
            made["NotPrincipal"] = self.not_principal(scene, complete=self.chance(0.65))
        elif effect == "Allow" and roll < 0.02 and not scene.trust:
            other, value = self.pick(OTHER_PRINCIPALS)
            made["NotPrincipal"] = {other: value}
        elif roll > 0.995 and not scene.trust:
            pass  # neither: matches nobody
        else:
            made["Principal"] = self.principal(scene, effect, everyone)
        return made

    def resource_policy(self, scene: Scene, everyone: float = 0.15) -> Json:
        """Make the policy of the resource: a bucket or key policy, or a role's trust policy."""
        statements = [self.resource_statement(scene, everyone=everyone)]
        if self.chance(0.2):
            saved, self.countdown = self.countdown, 1 + int(self.r() * 3)
            statements.append(self.resource_statement(scene, "Deny"))
            self.countdown = saved
        if self.chance(0.1):
            other, value = self.pick(OTHER_PRINCIPALS)
            extra: Map = {"Effect": "Allow", "Action": scene.action, "Principal": {other: value}}
            statements.append(extra if scene.trust else {**extra, "Resource": "*"})
        made = self.document(statements)
        return [made] if self.chance(0.05) else made

    # --- Requests

    def scene(self) -> Scene:
        """Choose caller, target and context."""
        roll = self.r()
        if roll < 0.34:
            return self.user()
        if roll < 0.66:
            return self.role()
        if roll < 0.76:
            return self.federated_user()
        if roll < 0.84:
            return self.root()
        if roll < 0.90:
            return self.service()
        return self.unsigned_federated() if roll < 0.95 else self.anonymous()

    def signed_target(self, trust: float) -> Target:
        """Choose what a caller with an account works on."""
        roll = self.r()
        if roll < trust:
            return self.pick(TRUSTS)
        if roll < trust + 0.13:
            return self.pick(KEYS)
        if roll < trust + 0.19:
            return self.pick(WITHOUT_RESOURCE)
        return self.pick(UNCONTROLLED) if roll < trust + 0.205 else self.pick(ORDINARY)

    def place(self, principal: str, kind: str, account: str | None, target: Target, **request: Json) -> Scene:
        """Put caller and target together; one in four targets belongs to another account."""
        owner = account or HOME
        if account and target.resource != "*" and self.chance(0.25 if target.has_policy else 0.03):
            owner = HOME if account == OTHER else OTHER
        resource = target.resource.replace("{a}", owner)
        action = self.flip_case(target.action) if self.chance(0.02) else target.action
        context: Map = {"aws:PrincipalAccount": account} if account and self.chance(0.4) else {}
        trust = target in TRUSTS or target in UNSIGNED_TRUSTS
        made = {"principal": principal, "action": action, "resource": resource, "resource_account": owner, **request}
        if target.resource == "*" and self.chance(0.2):
            made["wildcard_only_action"] = True
        if account and action.startswith("s3:") and self.chance(0.3):
            made["canonical_id"] = CANONICAL[account]
        if self.chance(0.3):
            context["aws:PrincipalTag/team"] = self.pick(("red", "ana", "*", "a*", "home/ana", "Prod", ""))
        return Scene(principal, kind, account, owner, action, resource, context, made, trust, target.has_policy)

    def user(self) -> Scene:
        """Make a request of a user."""
        name, account = self.pick(NAMES), HOME if self.chance(0.85) else OTHER
        arn = f"arn:aws:iam::{account}:user/{name}"
        scene = self.place(arn, "user", account, self.signed_target(0.12))
        if self.chance(0.4):
            scene.request["unique_id"] = "AIDAEXAMPLE" + name[-3:].upper()
        if self.chance(0.8):
            scene.context["aws:username"] = name.rpartition("/")[2]
        if self.chance(0.5):
            scene.context["aws:PrincipalArn"] = arn
        return scene

    def role(self) -> Scene:
        """Make a request of a role session."""
        role, session, account = self.pick(ROLES), self.pick(SESSION_NAMES), HOME if self.chance(0.85) else OTHER
        name = role.rpartition("/")[2]
        arn = f"arn:aws:sts::{account}:assumed-role/{name}/{session}"
        entity = f"arn:aws:iam::{account}:role/{role}"
        scene = self.place(arn, "role", account, self.signed_target(0.12))
        scene.entity = entity
        if self.chance(0.7):
            scene.request["entity"] = entity
        if self.chance(0.7 if "entity" not in scene.request else 0.4):
            scene.context["aws:PrincipalArn"] = entity
        if self.chance(0.4):
            scene.request["unique_id"] = "AROAEXAMPLE" + name[:3].upper()
            scene.context["aws:userid"] = f"{scene.request['unique_id']}:{session}"
        return scene

    def federated_user(self) -> Scene:
        """Make a request of a GetFederationToken session."""
        name, user, account = self.pick(("bob", "carol")), self.pick(NAMES), HOME if self.chance(0.9) else OTHER
        arn, entity = f"arn:aws:sts::{account}:federated-user/{name}", f"arn:aws:iam::{account}:user/{user}"
        scene = self.place(arn, "federated-user", account, self.signed_target(0.05), entity=entity)
        scene.entity = entity
        if self.chance(0.4):
            scene.request["unique_id"] = "AIDAEXAMPLE" + user[-3:].upper()
        if self.chance(0.4):
            scene.context["aws:PrincipalArn"] = arn
        return scene

    def root(self) -> Scene:
        """Make a request of an account's root user."""
        account = HOME if self.chance(0.8) else OTHER
        arn = f"arn:aws:iam::{account}:root"
        scene = self.place(arn, "root", account, self.signed_target(0.06))
        if self.chance(0.4):
            scene.context["aws:PrincipalArn"] = arn
        return scene

    def service(self) -> Scene:
        """Make a request of a service on somebody's behalf."""
        target = self.pick(TRUSTS if self.chance(0.25) else KEYS if self.chance(0.15) else SHAREABLE)
        scene = self.place(self.pick(SERVICE_PRINCIPALS), "service", None, target)
        if self.chance(0.5):
            scene.context["aws:SourceArn"] = self.pick(ARNS)
        return scene

    def unsigned_federated(self) -> Scene:
        """Make a request of a SAML or OIDC caller for a role."""
        target = self.pick(UNSIGNED_TRUSTS)
        names = (SAML,) if target.action.endswith("SAML") else WEB_IDENTITIES
        name = self.pick(names)
        if name.startswith("arn:") and self.chance(0.15):
            target = self.pick(TRUSTS[2:])
        return self.place(name, "federated", None, target)

    def anonymous(self) -> Scene:
        """Make an unsigned request."""
        return self.place("anonymous", "anonymous", None, self.pick(OBJECTS + QUEUES))

    # --- Cases

    def case(self) -> Map:
        """Make one case."""
        self.countdown = 1 + int(self.r() * 14) if self.chance(0.7) else -1
        scene = self.scene()
        policies: Map = {}
        self.grants(scene, policies)
        self.limits(scene, policies)
        if self.chance(0.02):
            self.damage(policies)
        if self.chance(0.03):
            self.add_twin(scene, policies)
        request = scene.request
        request["context"] = scene.context
        made = {"request": request, "policies": policies}
        return self.moved(made) if self.chance(0.04) else made

    def moved(self, case: Map) -> Map:
        """Move a case into another partition, or only a part of it, or parts into partitions that begin alike."""
        partition = self.pick(PARTITIONS)
        if self.chance(0.5):
            return _in_partition(case, partition)
        request, policies = case["request"], case["policies"]
        part = self.pick(("principal", "resource", "policies", "principal and policies"))
        if part == "resource":
            request = {**request, "resource": _in_partition(request["resource"], partition)}
            return {"request": request, "policies": policies}
        if part.startswith("principal"):
            others = {name: _in_partition(value, partition) for name, value in request.items()}
            request = {**others, "resource": _in_partition(request["resource"], self.pick((*PARTITIONS, "aws")))}
        if part.endswith("policies"):
            policies = _in_partition(policies, partition)
        return {"request": request, "policies": policies}

    def add_twin(self, scene: Scene, policies: Map) -> None:
        """Set beside a document its own statements under another version, in which `${...}` means another thing."""
        held = [name for name in ("identity", "session", "resource") if isinstance(policies.get(name), list)]
        held = [name for name in held if policies[name]]
        if not held:
            return
        name = self.pick(held)
        document = self.pick(policies[name])
        try:
            data = json.loads(document) if isinstance(document, str) else document
        except ValueError:
            return  # it is damaged
        statements = [data["Statement"]] if isinstance(data["Statement"], dict) else [*data["Statement"]]
        if self.chance(0.7) and not (scene.trust and name == "resource"):
            resource = scene.resource
            parts = resource.split(":", 5)
            parts[-1] = self.with_variable(parts[-1], scene.context) if resource != "*" else "*"
            twin = {**statements[0], "Effect": self.pick(("Allow", "Deny", "Deny")), "Resource": ":".join(parts)}
            twin.pop("NotResource", None)
            statements.append(twin)
        versions = [{"Version": "2012-10-17"}, {"Version": "2008-10-17"}, {}]
        if self.chance(0.5):
            versions.reverse()
        twins = [{**version, "Statement": statements} for version in versions[: 2 if self.chance(0.7) else 3]]
        policies[name] = [*twins, *policies[name]] if self.chance(0.5) else twins

    def grants(self, scene: Scene, policies: Map) -> None:
        """Add the policies that grant: the identity's, the resource's, or both."""
        has_identity = scene.kind in ("user", "role", "federated-user")
        crosses = scene.account is not None and scene.owner != scene.account
        gated = scene.trust or ":kms:" in scene.resource
        needs_policy = not has_identity and scene.kind != "root"
        if scene.has_policy and (gated or crosses or needs_policy or self.chance(0.4)):
            policies["resource"] = self.resource_policy(scene)
        lonely = scene.has_policy and "resource" in policies and not crosses and self.chance(0.45)
        if has_identity and not lonely and not (self.spoil() and self.chance(0.6)):
            policies["identity"] = [self.policy(scene, share=0.4)]
            if self.chance(0.12):
                policies["identity"].append(self.document([self.noise()]))
        elif has_identity and self.chance(0.5):
            policies["identity"] = [self.document([self.noise()])] if self.chance(0.5) else []

    def limits(self, scene: Scene, policies: Map) -> None:
        """Add the policies that limit."""
        if scene.kind in ("user", "role", "federated-user") and self.chance(0.22):
            policies["boundary"] = [self.policy(scene, share=0.2, broad=0.5)] if self.chance(0.97) else []
        if (scene.kind == "role" and self.chance(0.3)) or (scene.kind == "federated-user" and self.chance(0.88)):
            policies["session"] = [self.policy(scene, share=0.2, broad=0.4)]
            if self.chance(0.15):
                policies["session"].append(self.document([self.noise()]))
            if self.chance(0.02):
                policies["session"] = []
        if scene.account and self.chance(0.25):
            policies["scp"] = [
                self.scp_level(scene, level) for level in ("root", "ou", "account")[: 1 + int(self.r() * 3)]
            ]
        if self.chance(0.22):
            policies["rcp"] = [self.rcp_level(scene, level) for level in ("root", "account")[: 1 + int(self.r() * 2)]]
        if scene.kind in ("user", "role", "root", "anonymous", "federated-user") and self.chance(0.17):
            policies["vpce"] = [self.endpoint_policy(scene)]

    def scp_level(self, scene: Scene, level: str) -> Map:
        """Make the service control policies of one level."""
        made = [self.policy(scene, share=0.12, broad=0.6)]
        if self.chance(0.2):
            made.append(self.document([self.noise()]))
        if self.chance(0.01):
            made = []
        return {"level": level, "policies": made}

    def rcp_level(self, scene: Scene, level: str) -> Map:
        """Make the resource control policies of one level: denies that just miss."""
        statements = []
        for _ in range(1 + int(self.r() * 2)):
            statement = {**self.deny(scene), "Principal": "*"}
            if "NotAction" in statement:
                statement["Action"] = self.pick(OTHER_ACTIONS)
                del statement["NotAction"]
            statements.append(self.without_short_arns(statement))
        return {"level": level, "policies": [] if self.chance(0.05) else [self.document(statements)]}

    def without_short_arns(self, statement: Map) -> Map:
        """Complete short ARNs, which resource control policies refuse when they are written."""
        for name in ("Resource", "NotResource"):
            value = statement.get(name)
            entries = [value] if isinstance(value, str) else value or []
            if any(entry != "*" and entry.count(":") < 5 for entry in entries):
                statement[name] = "arn:aws:s3:::logs/*"
        return statement

    def endpoint_policy(self, scene: Scene) -> Json:
        """Make the policy of the endpoint the request came through."""
        gateway = self.chance(0.3)
        if gateway:
            scene.request["gateway_endpoint"] = True
        statement = self.statement(scene, share=0.2, broad=0.4)
        statement["Principal"] = self.principal(scene, everyone=0.7)
        if "CanonicalUser" in statement["Principal"]:
            statement["Principal"] = "*"  # for bucket policies only
        statements = [statement]
        if self.chance(0.2):
            denial = self.deny(scene)
            if not gateway and self.chance(0.3):
                denial["NotPrincipal"] = self.not_principal(scene, complete=True)
            else:
                denial["Principal"] = "*"
            statements.append(denial)
        return self.document(statements)

    # --- Damage

    def damage(self, policies: Map) -> None:
        """Spoil one document, as left over by another program or an older version."""
        places = [(name, index) for name, held in policies.items() for index in range(len(held)) if held]
        if not places:
            return
        name, index = self.pick(places)
        if name in ("scp", "rcp"):
            holder: Json = policies[name][index]["policies"]
            index = 0
        else:
            holder = policies[name]
        if isinstance(holder, dict):
            policies[name] = self.damaged(holder)
        elif isinstance(holder, list) and holder:
            holder[index] = self.damaged(holder[index])

    def damaged(self, document: Json) -> Json:
        """Spoil a document in one of the ways it can be spoilt."""
        data = json.loads(document) if isinstance(document, str) else document
        statements = [data["Statement"]] if isinstance(data["Statement"], dict) else data["Statement"]
        statement = self.pick(statements)
        roll = int(self.r() * 8)
        if roll < 4:
            if self.chance(0.5):
                statement = {**statement, "Effect": "Deny"}
                data["Statement"] = [*statements, statement]
            statement["Condition"] = {
                self.pick(BAD_OPERATORS): {"aws:PrincipalTag/team": self.pick(("red", "*", "true"))}
            }
            if self.chance(0.4):
                statement["Condition"]["StringEquals"] = {"aws:PrincipalTag/absent": "x"}
        elif roll == 4:
            data["Version"] = self.pick(("2012-10-18", "", "2008-10-17 ", 20121017))
        elif roll == 5:
            return json.dumps(data).replace('"Effect"', '"Effect": "Deny", "Effect"', 1)
        elif roll == 6:
            return json.dumps(data)[: -1 - int(self.r() * 3)]
        else:
            statement["Effect"] = self.pick(("allow", "DENY", "Permit", None))
        return data


PARTITIONS = ("aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b")


def _in_partition(value: Json, partition: str) -> Json:
    """Write a value's ARNs for another partition; JSON that is spoilt stays as spoilt as it is."""
    if isinstance(value, str):
        return value.replace("arn:aws:", f"arn:{partition}:")
    if isinstance(value, list):
        return [_in_partition(item, partition) for item in value]
    if isinstance(value, dict):
        return {_in_partition(name, partition): _in_partition(item, partition) for name, item in value.items()}
    return value


KEPT = frozenset({"aws:PrincipalArn"})  # names the caller's role, so it is never taken away
FAMILIES = (
    Maker.string_condition,
    Maker.string_condition,
    Maker.string_condition,
    Maker.number_condition,
    Maker.date_condition,
    Maker.bool_condition,
    Maker.ip_condition,
    Maker.arn_condition,
    Maker.arn_condition,
    Maker.binary_condition,
    Maker.null_condition,
    Maker.list_condition,
    Maker.list_condition,
)


def cases(seed: int) -> Iterator[Map]:
    """Make cases without end; the same seed makes the same ones."""
    maker = Maker(seed)
    while True:
        yield maker.case()


# --- Statistics ------------------------------------------------------------------------------------------------------


def caller_kind(case: Map) -> str:
    """Name the kind of a case's caller."""
    name = case["request"]["principal"]
    if name.startswith("arn:"):
        resource = name.split(":", 5)[5]
        return str(resource.partition("/")[0])
    if name == "anonymous":
        return "anonymous"
    return "service" if "amazonaws.com" in name and "identity" not in name else "web identity"


def statistics(count: int, seed: int) -> str:
    """Describe the outcomes of a number of cases."""
    from policy.reference import decide

    stream, making = cases(seed), 0.0
    durations = []
    counters: dict[str, Counter[str]] = {name: Counter() for name in ("outcome", "layer", "outcome by layer", "caller")}
    for _ in range(count):
        start = time.process_time()
        case = next(stream)
        made = time.process_time()
        verdict = decide(case)
        durations.append(time.process_time() - made)
        making += made - start
        counters["outcome"][verdict.outcome] += 1
        counters["layer"][verdict.layer] += 1
        counters["outcome by layer"][f"{verdict.outcome} by {verdict.layer}"] += 1
        counters["caller"][f"{caller_kind(case)} {verdict.outcome}"] += 1
    durations.sort()
    lines = [
        f"{count} cases, seed {seed}: {count / making:.0f} made a second",
        f"decide: median {durations[count // 2] * 1e6:.0f} us, 99 % under {durations[count * 99 // 100] * 1e6:.0f} us",
    ]
    for title, counter in counters.items():
        lines.append(f"by {title}:")
        lines += [
            f"  {share / count:7.2%}  {name}" for name, share in sorted(counter.items(), key=lambda item: -item[1])
        ]
    return "\n".join(lines)


def main() -> None:
    """Print cases or statistics."""
    parser = argparse.ArgumentParser(description="Random cases of IAM policy evaluation.")
    parser.add_argument("--stats", type=int, metavar="N", help="describe N cases")
    parser.add_argument("--print", type=int, metavar="N", default=0, help="print N cases, one JSON object a line")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.stats:
        sys.stdout.write(statistics(options.stats, options.seed) + "\n")
    for case in islice(cases(options.seed), options.print):
        sys.stdout.write(json.dumps(case, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
