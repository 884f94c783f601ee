"""What the API does with its role; each test needs one permission and no other."""

from orders import api


def test_an_order_is_written_down():
    api.keep("from-a-test", "tea")


def test_the_worker_is_told():
    assert api.announce("sample")


def test_an_order_is_found():
    assert api.find("sample")["item"] == "tea"


def test_a_receipt_is_read():
    assert api.receipt("sample").startswith("sample: tea ")


def test_a_forged_receipt_is_seen():
    assert not api.is_genuine("sample: gold 0000")
