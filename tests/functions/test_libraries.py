"""The libraries that functions find: linked once, however many functions begin at the same time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from iamd.functions import libraries


def test_functions_that_begin_at_the_same_time_find_the_libraries(tmp_path):
    beginning = 4
    together = Barrier(beginning)

    def begin(folder):
        together.wait()
        libraries.link(folder)
        return sorted(one.name for one in folder.iterdir() if one.exists())

    with ThreadPoolExecutor(beginning) as threads:
        for number in range(5):
            found = list(threads.map(begin, [tmp_path / str(number)] * beginning))
            assert all({"awslambdaric", "boto3", "six.py"} <= set(one) for one in found)
            assert "iamd" not in found[0]
