import pytest

from iamd.data import pack

INDEX = {"name": "sample", "count": 3}
BLOCKS = [b"first", b"", bytes(range(256)) * 1000]


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample.pack"
    pack.write(path, INDEX, BLOCKS)
    return path


def test_index_and_blocks_come_back(sample):
    read = pack.Pack(sample, dict)
    assert read.index == INDEX
    assert [read.block(number) for number in range(3)] == BLOCKS


def test_same_content_gives_the_same_bytes(sample, tmp_path):
    pack.write(tmp_path / "again.pack", INDEX, BLOCKS)
    assert (tmp_path / "again.pack").read_bytes() == sample.read_bytes()


def test_long_blocks_are_compressed_beyond_a_short_window(sample):
    assert sample.stat().st_size < 2000


@pytest.mark.parametrize("cut", [4, 14, 30])
def test_a_pack_cut_in_its_head_is_refused(sample, cut):
    sample.write_bytes(sample.read_bytes()[:cut])
    with pytest.raises(pack.DamagedPack):
        pack.Pack(sample, dict)


def test_a_pack_cut_in_a_block_is_refused_when_the_block_is_read(sample):
    sample.write_bytes(sample.read_bytes()[:-1])
    read = pack.Pack(sample, dict)
    assert read.block(0) == BLOCKS[0]
    with pytest.raises(pack.DamagedPack, match="cut short"):
        read.block(2)


@pytest.mark.parametrize("place", [0, -10])
def test_an_altered_byte_is_noticed(sample, place):
    content = bytearray(sample.read_bytes())
    content[place] ^= 0xFF
    sample.write_bytes(content)
    with pytest.raises(pack.DamagedPack):
        pack.Pack(sample, dict).block(2)
