"""Carries orders out, one by one as the queue has them. Runs with the worker's role."""

import hashlib
import hmac
import json
from typing import Any

from orders import places


def waiting() -> int:
    """About how many orders wait to be carried out."""
    told = places.client("sqs").get_queue_attributes(
        QueueUrl=places.queue_url(), AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(told["Attributes"]["ApproximateNumberOfMessages"])


def take() -> list[dict[str, Any]]:
    """The next orders of the queue: at most one."""
    messages: list[dict[str, Any]] = (
        places.client("sqs").receive_message(QueueUrl=places.queue_url()).get("Messages", [])
    )
    return messages


def finish(handle: str) -> None:
    """Take a message that was seen to out of the queue."""
    places.client("sqs").delete_message(QueueUrl=places.queue_url(), ReceiptHandle=handle)


def mark_done(number: str) -> str:
    """Write down that an order was carried out; gives what was ordered."""
    told = places.table().update_item(
        Key={"number": number},
        UpdateExpression="SET #state = :done",
        ConditionExpression="attribute_exists(#number)",
        ExpressionAttributeNames={"#state": "state", "#number": "number"},
        ExpressionAttributeValues={":done": "done"},
        ReturnValues="ALL_NEW",
    )
    item: str = told["Attributes"]["item"]
    return item


def sign(text: str) -> str:
    """The text with the service's signature."""
    return f"{text} {hmac.new(places.signing_key(), text.encode(), hashlib.sha256).hexdigest()}"


def file(number: str, receipt: str) -> None:
    """Put a receipt where the API finds it."""
    places.client("s3").put_object(**places.receipt_of(number), Body=receipt.encode())


def carry_out(number: str) -> None:
    """See to one order."""
    file(number, sign(f"{number}: {mark_done(number)}"))


def handler(event: dict[str, Any], context: object) -> None:
    """See to the orders that Lambda took from the queue; it deletes their messages when this ends well."""
    for record in event["Records"]:
        carry_out(json.loads(record["body"])["number"])
