"""What moto's services ask for and wait for: answered once, and not at all in another life of the data."""

import base64
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from iamd.backend import handover
from iamd.backend.handover import NotDone
from iamd.delivery import Delivery, Outcome

DELIVERY = Delivery(
    principal="dynamodb.amazonaws.com", account="1", source="arn:aws:dynamodb:us-east-1:1:table/t", service="s3",
    operation="PutObject", region="us-east-1", parameters={}, target="arn:aws:s3:::b",
)  # fmt: skip


@pytest.fixture
def asking():
    """What asks is not the thread that answers."""
    handover.clear()
    with ThreadPoolExecutor(1) as pool:
        yield lambda: pool.submit(handover.ask, DELIVERY, handover.life())
        handover.clear()


def fetched():
    told = handover.taken({})["deliveries"]
    return msgspec.msgpack.decode(base64.b64decode(told), type=list[tuple[int, Delivery]])


def reply(delivery, **outcome):
    told = base64.b64encode(msgspec.msgpack.encode(Outcome(**outcome))).decode()
    handover.replied({"reply": delivery.reply, "outcome": told})


def test_what_is_asked_for_is_answered(asking):
    awaited = asking()
    [(_, delivery)] = fetched()
    assert delivery.lane == delivery.reply != DELIVERY.lane
    reply(delivery, output={"ETag": "e"})
    reply(delivery, output={"ETag": "another"})
    assert awaited.result() == {"ETag": "e"}


def test_a_refusal_has_its_code_words_and_status(asking):
    awaited = asking()
    [(_, delivery)] = fetched()
    reply(delivery, code="AccessDenied", message="no", status=403)
    with pytest.raises(NotDone, match="no") as refused:
        awaited.result()
    assert (refused.value.code, refused.value.status) == ("AccessDenied", 403)


def test_with_a_reset_nobody_waits_any_more(asking):
    awaited = asking()
    [(_, delivery)] = fetched()
    handover.clear()
    with pytest.raises(NotDone):
        awaited.result()
    reply(delivery, output={})


def test_what_began_before_a_reset_asks_for_nothing_after_it():
    begun_in = handover.life()
    handover.clear()
    with pytest.raises(NotDone):
        handover.ask(DELIVERY, begun_in)
