"""The demo set is small, whole, and of disjoint scenes."""

import numpy as np
import pytest

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_unpaired
from nas_isp.errors import InputError
from nas_isp.raw.classical import render_image


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return demo_folders(tmp_path_factory.mktemp("demo"))


def test_set_weighs_under_three_megabytes(demo):
    files = [path for path in demo[0].parent.rglob("*") if path.is_file()]
    assert 2_000_000 < sum(path.stat().st_size for path in files) < 3_000_000


def test_set_loads_as_unpaired_data_of_disjoint_scenes(demo, tmp_path):
    data = load_unpaired(*demo[:2], tmp_path, 128, val_dir=demo[2], scene_disjoint=True)
    assert data.notes == []
    assert len(set(data.raw.stems)) >= 24
    assert len(set(data.photos.stems)) >= 40
    assert data.pairs is not None
    assert len(data.pairs) == 8
    assert data.raw.sensor.name == "demo camera"


def test_pairs_show_the_same_scene(demo, tmp_path):
    data = load_unpaired(*demo[:2], tmp_path, 128, val_dir=demo[2])
    assert data.pairs is not None
    for pair in data.pairs:
        rendered, truth = render_image(pair.raw)[..., 1].ravel(), pair.photo[..., 1].ravel()
        assert np.corrcoef(rendered, truth)[0, 1] > 0.85, pair.stem


def test_files_already_there_are_kept_so_that_caches_stay_valid(demo):
    before = {path: path.stat().st_mtime_ns for path in demo[0].iterdir()}
    demo_folders(demo[0].parent)
    assert {path: path.stat().st_mtime_ns for path in demo[0].iterdir()} == before


def test_folder_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        demo_folders(tmp_path / "file")
