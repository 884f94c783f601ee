"""Engines that read AWS's policies as they are: iamd's, the slow model it is compared with, moto's and ministack's."""

import json
from functools import cache
from sys import intern

from . import workload
from .rules import ACTIONS

USER_ARN = f"arn:aws:iam::{workload.ACCOUNT}:user/{workload.USER}"


def documents(statements):
    """The texts of the policies."""
    return [json.dumps(one) for one in workload.policies(statements)]


class Iamd:
    """iamd; `settle` does what is else done on the first request for an action, for every one of the workload."""

    def __init__(self):
        from iamd.policy import document, evaluate, request

        self._document, self._evaluate, self._request = document, evaluate, request
        self._caller = request.Principal(request.PrincipalKind.USER, workload.ACCOUNT, USER_ARN)
        self._layers = None

    def translate(self, statements):
        return documents(statements)

    def load(self, texts):
        kind = self._document.PolicyType.IDENTITY
        policies = tuple(self._document.load(text, kind) for text in texts)
        for policy in policies:
            for statement in policy.statements:
                _ = statement.patterns, statement.conditions
        layers = self._layers = self._evaluate.Layers(identity=policies)
        decide = self._evaluate.decide
        # Its own attributes would be looked up for each decision.
        self.decide = lambda asked: decide(asked, layers).allowed

    def settle(self):
        for action in ACTIONS:
            self._layers.identity.of(action)

    def prepare(self, ask):
        # The gateway's condition keys are lower-case constants, and its actions stand in tables: one object each.
        context = {intern(name.lower()): tuple(v) if isinstance(v, list) else v for name, v in ask.context.items()}
        return self._request.Request(self._caller, intern(ask.action), ask.resource, workload.ACCOUNT, context)


class Model:
    """The slow model in tests/policy/reference.py, which shares no code with the engine; documents are read once."""

    def __init__(self):
        from policy import reference

        reference.read_document = cache(reference.read_document)
        self._decide = reference.decide
        self._texts = None

    def translate(self, statements):
        return documents(statements)

    def load(self, texts):
        self._texts = texts

    def prepare(self, ask):
        asked = {
            "principal": USER_ARN,
            "action": ask.action,
            "resource": ask.resource,
            "resource_account": workload.ACCOUNT,
            "context": ask.context,
        }
        return {"request": asked, "policies": {"identity": self._texts}}

    def decide(self, asked):
        return self._decide(asked).outcome == "Allowed"


class Moto:
    """moto's access control, its policies parsed once; it asks them as its own check of an action does."""

    def __init__(self):
        from moto.iam import access_control

        self._library = access_control
        self._policies = None

    def translate(self, statements):
        return documents(statements)

    def load(self, texts):
        self._policies = [self._library.IAMPolicy(text) for text in texts]

    def prepare(self, ask):
        return ask.action, ask.resource

    def decide(self, asked):
        permitted = False
        for policy in self._policies:
            result = policy.is_action_permitted(*asked)
            if result is self._library.PermissionResult.DENIED:
                return False
            permitted = permitted or result is self._library.PermissionResult.PERMITTED
        return permitted


class Ministack:
    """ministack's evaluator, its policies parsed once."""

    def __init__(self):
        from ministack.core import iam_evaluator

        self._library = iam_evaluator
        self._policies = None

    def translate(self, statements):
        return documents(statements)

    def load(self, texts):
        self._policies = [self._library.parse_policy_document(text) for text in texts]

    def prepare(self, ask):
        keys = {name.lower(): value for name, value in ask.context.items()}
        return self._library.EvalContext(
            principal_arn=USER_ARN,
            principal_type="User",
            principal_account=workload.ACCOUNT,
            action=ask.action,
            resource_arn=ask.resource,
            region=ask.context["aws:RequestedRegion"],
            source_ip=ask.context["aws:SourceIp"],
            secure_transport=ask.context["aws:SecureTransport"] == "true",
            tag_keys=ask.context.get("aws:TagKeys", []),
            service_context=keys,
            principal_keys={"aws:username": workload.USER, "aws:userid": ask.context["aws:userid"]},
        )

    def decide(self, asked):
        return self._library.evaluate(asked, self._policies).decision == "Allow"
