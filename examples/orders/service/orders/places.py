"""Where the service keeps things: the environment names them, in a function as in a test."""

import os
from functools import cache
from typing import Any

import boto3


@cache
def client(service: str) -> Any:
    """A client with the credentials that the program finds: those of its role."""
    return boto3.client(service)


def table() -> Any:
    """The table of orders."""
    return boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])


def queue_url() -> str:
    """The queue of orders that are to be carried out."""
    return os.environ["ORDERS_QUEUE_URL"]


def receipt_of(number: str) -> dict[str, str]:
    """The object that is an order's receipt."""
    return {"Bucket": os.environ["ORDERS_BUCKET"], "Key": f"receipts/{number}"}


def signing_key() -> bytes:
    """The key that receipts are signed with."""
    secret: str = client("secretsmanager").get_secret_value(SecretId=os.environ["ORDERS_SECRET"])["SecretString"]
    return secret.encode()
