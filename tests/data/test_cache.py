"""Caches appear whole or not at all."""

import os

import numpy as np
import pytest

from nas_isp.data.cache import ArrayWriter, cached_folder
from nas_isp.errors import InputError


@pytest.mark.parametrize("count", [0, 1, 11])
def test_written_items_are_read_back_as_one_array(tmp_path, count):
    items = np.random.default_rng(0).integers(0, 999, (count, 3, 2)).astype(np.uint16)
    with ArrayWriter(tmp_path / "a.npy", (3, 2), "<u2") as writer:
        for item in items:
            writer.append(item)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), items)


def test_item_of_another_shape_is_refused(tmp_path):
    with ArrayWriter(tmp_path / "a.npy", (3,), "<u2") as writer, pytest.raises(ValueError, match="shape"):
        writer.append(np.zeros(4, np.uint16))


def test_second_call_with_the_same_key_does_not_fill_again(tmp_path):
    calls = []
    first = cached_folder(tmp_path, "kind", {"a": 1}, calls.append)
    assert cached_folder(tmp_path, "kind", {"a": 1}, calls.append) == first
    assert cached_folder(tmp_path, "kind", {"a": 2}, calls.append) != first
    assert len(calls) == 2


def test_failing_fill_leaves_nothing_behind(tmp_path):
    def fill(folder):
        (folder / "half").write_text("x")
        raise InputError("bad data")

    with pytest.raises(InputError, match="bad data"):
        cached_folder(tmp_path, "kind", {}, fill)
    assert list(tmp_path.iterdir()) == []


def test_cache_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written") as error:
        cached_folder(tmp_path / "file" / "cache", "kind", {}, lambda folder: None)
    assert "\n" not in str(error.value)


def test_two_makers_of_the_same_folder_both_succeed(tmp_path):
    def fill(folder):
        (folder / "data").write_text("mine")
        cached_folder(tmp_path, "kind", {}, lambda other: (other / "data").write_text("theirs") and None)

    made = cached_folder(tmp_path, "kind", {}, fill)
    assert (made / "data").read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [made]


def test_day_old_leftovers_of_killed_runs_are_removed_and_fresh_ones_kept(tmp_path):
    old, fresh = tmp_path / ".kind-1.x.part", tmp_path / ".kind-2.x.part"
    old.mkdir()
    fresh.mkdir()
    os.utime(old, (0, 0))
    cached_folder(tmp_path, "kind", {}, lambda folder: None)
    assert fresh.is_dir()
    assert not old.exists()


def test_what_another_process_finishes_meanwhile_is_no_error(tmp_path):
    (tmp_path / ".kind-1.x.part").symlink_to(tmp_path / "moved away")
    assert cached_folder(tmp_path, "kind", {}, lambda folder: None).is_dir()
