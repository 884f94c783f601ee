"""What the worker does with its role; each test needs one permission and no other."""

import pytest
from botocore.exceptions import ClientError
from orders import worker


def test_the_queue_is_measured():
    assert worker.waiting() >= 0


def test_orders_are_taken_from_the_queue():
    assert len(worker.take()) <= 1


def test_only_a_message_that_was_taken_is_finished():
    with pytest.raises(ClientError, match="ReceiptHandleIsInvalid"):
        worker.finish("none-that-was-given")


def test_an_order_is_marked_as_done():
    assert worker.mark_done("sample") == "tea"


def test_a_receipt_is_signed():
    assert worker.sign("sample: tea") == worker.sign("sample: tea") != worker.sign("sample: gold")


def test_a_receipt_is_filed():
    worker.file("from-a-test", "from-a-test: tea 0000")
