"""What waits of several accounts."""

from concurrent.futures import ThreadPoolExecutor

from iamd.backend.turns import Turns


def test_each_account_has_its_turn_and_its_own_order():
    turns = Turns()
    for number in range(5):
        turns.put("many", f"m{number}")
    for number in range(2):
        turns.put("few", f"f{number}")
    assert (turns.waiting("many"), turns.waiting("few"), turns.waiting("none")) == (5, 2, 0)
    assert turns.take(3, 0) == ["m0", "f0", "m1"]
    turns.put("late", "l0")
    assert turns.take(10, 0) == ["f1", "m2", "l0", "m3", "m4"]
    assert turns.take(10, 0) == []


def test_who_takes_waits_for_something_to_take():
    turns = Turns()
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(turns.take, 10, 60)
        turns.put("one", "item")
        assert taken.result(30) == ["item"]


def test_what_is_forgotten_is_not_taken():
    turns = Turns()
    turns.put("one", "item")
    turns.clear()
    assert turns.take(1, 0) == []
