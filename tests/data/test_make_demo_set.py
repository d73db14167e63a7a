"""The committed program makes the committed demo set."""

import importlib.util
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PACKAGED = TOOLS.parent / "nas_isp" / "data" / "demo"


@pytest.fixture(scope="module")
def maker():
    pytest.importorskip("scipy")
    sys.path.insert(0, str(TOOLS))
    spec = importlib.util.spec_from_file_location("make_demo_set", TOOLS / "make_demo_set.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_demo_set"] = module
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(TOOLS))


def test_plan_lists_exactly_the_packaged_files(maker):
    planned = {f"{scene.folder}/{scene.stem}" for scene in maker.plan() if scene.folder != "val"}
    planned |= {
        f"val/{half}/{scene.stem}" for scene in maker.plan() if scene.folder == "val" for half in ("raw", "rgb")
    }
    files = [path.relative_to(PACKAGED) for path in PACKAGED.rglob("*") if path.suffix in (".png", ".jpg")]
    assert {str(path.with_suffix("")) for path in files} == planned


def test_no_scene_is_made_twice(maker):
    seeds = [scene.seed for scene in maker.plan()]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.slow
@pytest.mark.parametrize("stem", ["cloth-1009", "flower-2010", "pebbles-2011", "houses-3002"])
def test_made_again_the_pictures_are_the_same(maker, stem):
    (scene,) = (scene for scene in maker.plan() if scene.stem == stem)
    for name, content, _ in maker.files_of(scene):
        made = np.asarray(Image.open(io.BytesIO(content))).astype(int)
        kept = np.asarray(Image.open(PACKAGED / name)).astype(int)
        # Other processors round the last bit of a float differently, which may move single pixels by a level.
        assert made.shape == kept.shape
        assert np.mean(made != kept) < 0.01, name
