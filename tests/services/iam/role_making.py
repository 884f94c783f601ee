"""A role template that tests register, and the values of its parameters."""

import json

ARN = "arn:aws:iam::aws:role-template/ec2.amazonaws.com/Reader:1"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"


def document(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
INLINE = document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["@{Buckets}", "arn:aws:s3:::@{Stage}/*"]})
TEMPLATE = {
    "Description": "reads buckets",
    "RoleNamePattern": "reader-@{Stage}",
    "RolePathPattern": "/readers/@{Stage}/",
    "RoleDescriptionPattern": "Reads for @{Stage}",
    "AssumeRolePolicyDocumentTemplate": TRUST,
    "InlinePolicyTemplates": [{"PolicyName": "read", "PolicyDocument": INLINE}],
    "ManagedPolicyArns": [READ_ONLY],
    "PermissionBoundaryArn": BOUNDARY,
    "ParametersDefinition": [
        {"Name": "Stage", "Type": "String", "IsRequired": True, "Description": "where"},
        {"Name": "Buckets", "Type": "ArnList", "DefaultValue": "arn:aws:s3:::a/*,arn:aws:s3:::b/*"},
        {"Name": "Cost", "Type": "Number", "DefaultValue": "1", "Immutable": True},
    ],
    "RoleTagsTemplate": [{"Key": "Stage", "Value": "@{Stage}"}, {"Key": "cost", "Value": "@{Cost}"}],
    "MaxSessionDuration": 7200,
}
VALUES = {"Stage": {"Values": ["prod"]}}


def register(aws, minor_version=0, **changes):
    aws.iamd(
        "RegisterRoleTemplateVersion",
        TemplateArn=ARN,
        MinorVersion=minor_version,
        Template=json.dumps(TEMPLATE | changes),
    )
