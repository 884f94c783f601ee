"""What customers ask for: an order is placed, looked up, and its receipt is read. Runs with the API's role."""

import hashlib
import hmac
import json
from typing import Any

from orders import places


def keep(number: str, item: str) -> None:
    """Write down a new order."""
    places.table().put_item(Item={"number": number, "item": item, "state": "placed"})


def announce(number: str) -> str:
    """Tell the worker of an order; gives the message's id."""
    message: str = places.client("sqs").send_message(
        QueueUrl=places.queue_url(), MessageBody=json.dumps({"number": number})
    )["MessageId"]
    return message


def find(number: str) -> dict[str, Any] | None:
    """The order as it stands."""
    order: dict[str, Any] | None = places.table().get_item(Key={"number": number}).get("Item")
    return order


def receipt(number: str) -> str:
    """The receipt of an order that was carried out."""
    text: str = places.client("s3").get_object(**places.receipt_of(number))["Body"].read().decode()
    return text


def is_genuine(text: str) -> bool:
    """Whether the worker signed this receipt."""
    said, _, signature = text.rpartition(" ")
    expected = hmac.new(places.signing_key(), said.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.encode(), expected.encode())


def handler(event: dict[str, str], context: object) -> Any:
    """Answer a request: `{"place": "tea", "number": "1"}`, `{"find": "1"}` or `{"receipt": "1"}`."""
    if "place" in event:
        keep(event["number"], event["place"])
        announce(event["number"])
        return {"number": event["number"]}
    if "find" in event:
        return find(event["find"])
    text = receipt(event["receipt"])
    return {"receipt": text, "genuine": is_genuine(text)}
