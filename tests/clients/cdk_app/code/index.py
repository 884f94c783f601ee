"""Calls what it is told to call, with its role; gives the code of the error, or None."""

import boto3
from botocore.exceptions import ClientError


def handler(event, context):
    service, operation, parameters = event
    try:
        getattr(boto3.client(service), operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None
