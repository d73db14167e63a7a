"""Classical renderings of what is scored are made in each picture's own light, and come back from their files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import UnpairedData, load_pairs, load_unpaired
from nas_isp.errors import InputError
from nas_isp.evaluation.metrics import delta_e00, psnr, to_8_bit
from nas_isp.preparation.anchors import make_anchors, on_pairs
from nas_isp.preparation.content_reference import white_balance_of_patches
from nas_isp.preparation.paired import prepare_paired
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.prepared_files import load_prepared, save_prepared
from nas_isp.raw.packing import pack
from nas_isp.recipe import TrainSettings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> UnpairedData:
    raw, rgb, pairs = demo_folders(tmp_path_factory.mktemp("demo"))
    return load_unpaired(raw, rgb, tmp_path_factory.mktemp("cache"), 64, val_dir=pairs, limit=60)


@pytest.fixture(scope="module")
def prepared(data: UnpairedData) -> Prepared:
    return prepare(data, TrainSettings(patch=64), seed=0)


def test_captures_are_rendered_with_their_own_gains(data: UnpairedData, prepared: Prepared) -> None:
    scoring, baseline = prepared.scoring, prepared.baseline
    gains = np.linspace(1, 3, 3 * len(data.raw), dtype=np.float32).reshape(-1, 3)
    made = make_anchors(scoring, gains, baseline, None)
    last = scoring.test_indices[-1]
    packed = scoring.inputs.raw.tensor([last])
    assert last == len(data.raw) - 1
    np.testing.assert_array_equal(
        made.captures[-1], to_8_bit(baseline.render(packed, torch.from_numpy(gains[last])))[0].transpose(2, 0, 1)
    )
    assert len(made.captures) == len(scoring.test_batch(CPU)[0])
    assert made.on_pairs == {}


def test_preparing_takes_the_gains_of_the_content_references(data: UnpairedData, prepared: Prepared) -> None:
    gains = white_balance_of_patches(data.raw, prepared.baseline.white_balance)
    again = make_anchors(prepared.scoring, gains, prepared.baseline, data.pairs)
    np.testing.assert_array_equal(again.captures, prepared.scoring.anchors.captures)
    assert again.on_pairs == prepared.scoring.anchors.on_pairs


def test_synthetic_pairs_are_rendered_in_the_light_that_was_drawn_for_them(prepared: Prepared) -> None:
    synthetic, anchors = prepared.scoring.synthetic, prepared.scoring.anchors
    index = int(synthetic.test_indices[5])
    packed = synthetic.unbalanced(np.array([index]), CPU)
    wanted = to_8_bit(prepared.baseline.render(packed, torch.from_numpy(synthetic.gains[index])))[0]
    np.testing.assert_array_equal(anchors.synthetic[5].transpose(1, 2, 0), wanted)


def test_pairs_are_scored_in_their_own_light_where_they_say_it(data: UnpairedData, prepared: Prepared) -> None:
    baseline = prepared.baseline
    (_, photo), pair = prepared.scoring.pairs[0], data.pairs[0]
    only = [pair]
    picture = to_8_bit(baseline.render(torch.from_numpy(pack(pair.raw))[None]))[0]
    found = on_pairs(only, baseline)
    assert pair.raw.white_balance is None
    assert found["psnr"] == pytest.approx(psnr(picture, photo))
    assert found["delta_e00"] == pytest.approx(delta_e00(picture[::2, ::2], photo[::2, ::2]))
    told = [pair._replace(raw=replace(pair.raw, white_balance=(1.0, 1.0, 4.0)))]
    blue = to_8_bit(baseline.render(torch.from_numpy(pack(pair.raw))[None], torch.tensor((1.0, 1.0, 4.0))))[0]
    assert on_pairs(told, baseline)["psnr"] == pytest.approx(psnr(blue, photo))


def test_renderings_survive_saving(prepared: Prepared, tmp_path: Path) -> None:
    save_prepared(prepared, tmp_path)
    first, second = prepared.scoring.anchors, load_prepared(tmp_path).scoring.anchors
    np.testing.assert_array_equal(first.captures, second.captures)
    np.testing.assert_array_equal(first.synthetic, second.synthetic)
    assert first.on_pairs == second.on_pairs


def test_data_prepared_before_there_were_renderings_have_none(prepared: Prepared, tmp_path: Path) -> None:
    prepared.scoring.anchors, kept = None, prepared.scoring.anchors
    try:
        save_prepared(prepared, tmp_path)
        assert load_prepared(tmp_path).scoring.anchors is None
        assert not (tmp_path / "anchors.npy").exists()
    finally:
        prepared.scoring.anchors = kept


@pytest.mark.parametrize("name", ["anchors.npy", "synthetic_anchors.npy"])
def test_renderings_of_another_size_are_refused(name: str, prepared: Prepared, tmp_path: Path) -> None:
    save_prepared(prepared, tmp_path)
    np.save(tmp_path / name, np.zeros((3, 3, 64, 64), np.uint8))
    with pytest.raises(InputError, match="damaged preparation"):
        load_prepared(tmp_path)


@pytest.mark.parametrize("value", ["NaN", "1e999", '"a"'])
def test_numbers_of_the_rendering_that_are_none_are_refused(value: str, prepared: Prepared, tmp_path: Path) -> None:
    save_prepared(prepared, tmp_path)
    record = json.loads((tmp_path / "prepared.json").read_text())
    record["classical_on_pairs"] = {"psnr": "VALUE"}
    (tmp_path / "prepared.json").write_text(json.dumps(record).replace('"VALUE"', value))
    with pytest.raises(InputError):
        load_prepared(tmp_path)


def test_paired_data_have_renderings_as_bright_as_their_photos(tmp_path: Path) -> None:
    pairs = load_pairs(demo_folders(tmp_path)[2])
    prepared = prepare_paired(pairs, 64, seed=0, input_kind="balanced")
    anchors = prepared.scoring.anchors
    assert anchors.synthetic is None
    assert anchors.on_pairs == on_pairs(pairs, prepared.baseline)
    assert prepared.baseline.exposure > 1
    assert np.mean(anchors.captures) == pytest.approx(np.mean(prepared.scoring.references), rel=0.1)
