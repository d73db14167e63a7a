"""One data set serves many trainings: its digest tells other data apart; a teacher changes batches only."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_pairs, load_unpaired
from nas_isp.evaluation.metrics import psnr, to_8_bit
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.raw.packing import pack
from nas_isp.recipe import TrainSettings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    raw, rgb, pairs = demo_folders(tmp_path_factory.mktemp("demo"))
    unpaired = load_unpaired(raw, rgb, tmp_path_factory.mktemp("cache"), 64, val_dir=pairs, limit=64)
    return prepare(unpaired, TrainSettings(patch=64), seed=0)


def test_the_photos_look_beats_the_plain_rendering_on_the_demo_pairs(
    data: Prepared, tmp_path_factory: pytest.TempPathFactory
) -> None:
    *_, folder = demo_folders(tmp_path_factory.mktemp("pairs"))
    plain, with_look = (
        np.mean(
            [
                psnr(to_8_bit(render(torch.from_numpy(pack(pair.raw))[None]))[0], pair.photo)
                for pair in load_pairs(folder)
            ]
        )
        for render in (data.baseline.render, data.baseline.render_with_look)
    )
    assert with_look > plain


def test_a_teachers_pictures_are_what_batches_want_and_scores_stay(data: Prepared) -> None:
    taught = data.taught_by(np.zeros_like(data.training.references))
    before, after = (prepared.training.batch(3, 4, CPU) for prepared in (data, taught))
    assert float(after.wanted.abs().max()) == 0 < float(before.wanted.max())
    torch.testing.assert_close(after.packed, before.packed)
    torch.testing.assert_close(after.photos, before.photos)
    assert taught.scoring is data.scoring


def test_the_digest_tells_every_other_data_apart(data: Prepared) -> None:
    others = [
        data,
        data.taught_by(data.training.references),
        replace(data, training=replace(data.training, seed=1)),
        replace(data, training=replace(data.training, synthetic=None)),
        replace(data, training=replace(data.training, references=255 - data.training.references)),
        replace(data, scoring=replace(data.scoring, score_with_pairs=False)),
        replace(data, baseline=replace(data.baseline, exposure=1.5)),
    ]
    assert len({other.digest for other in others}) == len(others)
    assert replace(data).digest == data.digest


def test_a_batch_is_a_function_of_seed_and_step_alone(data: Prepared) -> None:
    first, again = (data.training.batch(7, 4, CPU) for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    assert not torch.equal(data.training.batch(8, 4, CPU).packed, first.packed)
    assert first.indices.dtype == torch.int64
