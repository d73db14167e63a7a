"""The report: whole, self-contained, and safe to open."""

from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_isp.errors import InputError
from nas_isp.generators.architecture import Block, PlainArchitecture, RmfaArchitecture
from nas_isp.recipe import load_recipe
from nas_isp.report.page import network_text, page_html, write_page
from nas_isp.report.plots import plot_png, write_plot
from nas_isp.search.config import StudyConfig
from nas_isp.search.records import TrialRecord
from nas_isp.search.space import load_space
from nas_isp.search.study import Study

NETWORK = PlainArchitecture(
    blocks=(
        Block(kind="conv3", channels=12, activation="tanh"),
        Block(kind="rep3", channels=12, activation="relu", residual=True),
    ),
    color_head=True,
)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    config = StudyConfig(program="t", device="phone<b>", recipe=load_recipe("default"), space=load_space("tiny"))
    study = Study.begin(tmp_path / "my study", config)
    for trial, (state, quality, latency_ms) in enumerate(
        [("complete", 20.0, 1.0), ("complete", 28.0, 3.0), ("complete", 30.0, 9.0), ("stopped", 10.0, 5.0)]
    ):
        fields = {"trial": trial, "state": state, "quality": quality, "latency_ms": latency_ms}
        study.begin_trial(TrialRecord.model_validate(fields | {"digest": "d", "score_kind": "psnr"}), NETWORK)
    failed = TrialRecord(trial=9, state="failed", digest="d", reason="loss <is> nan")
    study.begin_trial(failed, NETWORK)
    Image.new("RGB", (64, 32), "red").save(study.trial_folder(1) / "sample.png")
    return study


class _Reader(HTMLParser):
    """Collects tags, addresses and text, and checks that tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def test_the_page_needs_no_other_file(study: Study) -> None:
    reader = read(page_html(study))

    assert reader.sources
    assert all(source.startswith("data:image/png;base64,") for source in reader.sources)


def test_the_page_shows_front_counts_failures_and_settings(study: Study) -> None:
    text = read(page_html(study)).text

    assert "3 complete, 1 stopped, 0 rejected, 1 failed" in text
    assert "PSNR in dB" in text
    assert "28.000" in text
    assert "10.000" not in text
    assert "loss <is> nan" in text
    assert "phone<b>" in text
    assert "max_latency_ms" in text


def test_the_sample_of_a_front_trial_is_shown_once(study: Study) -> None:
    assert len(read(page_html(study)).sources) == 2


def test_a_study_without_trials_has_a_page_too(tmp_path: Path) -> None:
    config = StudyConfig(program="t", device="phone", recipe=load_recipe("default"), space=load_space("tiny"))

    assert "No trial is complete yet" in page_html(Study.begin(tmp_path / "s", config))


def test_the_plot_is_a_picture_with_the_front_in_it(study: Study, tmp_path: Path) -> None:
    picture = Image.open(BytesIO(plot_png(study)))

    assert picture.width > picture.height > 400
    red = sum(1 for r, g, b in picture.convert("RGB").get_flattened_data() if r > 180 and g < 90 and b < 70)
    assert red > 200


def test_the_front_is_drawn_as_steps(study: Study) -> None:
    """Between two of its networks none has more quality than the faster one: no slanting line says so."""
    pixels = np.asarray(Image.open(BytesIO(plot_png(study))).convert("RGB")).astype(int)
    red = (pixels[..., 0] > 180) & (pixels[..., 1] < 90) & (pixels[..., 2] < 70)
    latencies = [record.point[1] for record in study.front()]
    assert len(latencies) > 1
    assert red.sum(1).max() > 40
    assert red.sum(0).max() > 40


def test_files_are_written_whole_or_refused(study: Study, tmp_path: Path) -> None:
    write_page(study, tmp_path / "r.html")
    write_plot(study, tmp_path / "p.png")

    assert (tmp_path / "r.html").read_text().endswith("</html>\n")
    with pytest.raises(InputError, match="cannot be written"):
        write_page(study, tmp_path / "nowhere" / "r.html")
    with pytest.raises(InputError, match=r"ends in \.png"):
        write_plot(study, tmp_path / "p.jpg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my study", "p.png", "r.html"]


def test_a_network_in_a_few_words() -> None:
    assert network_text(NETWORK) == "scale 2: conv3 12 tanh, rep3 12 relu +input; color head"
    assert network_text(RmfaArchitecture()) == "rmfa, width 16, depth 2"
