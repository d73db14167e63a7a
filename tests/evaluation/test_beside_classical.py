"""A model that is worse than the classical rendering is told of in one line, and no other is."""

from nas_isp.evaluation.appearance import Appearance
from nas_isp.evaluation.beside_classical import lines_beside_classical, worse_than_classical

LOOK = Appearance(0, 0, 0, 0, 1, 0, 0, 0, 1, 1).to_dict()


def test_true_pairs_decide_where_both_have_them() -> None:
    better, worse = {"psnr": 21.0, "delta_e00": 9.0}, {"psnr": 17.5, "delta_e00": 12.2}
    assert worse_than_classical(better, worse) == ""
    assert worse_than_classical(worse, better) == (
        "worse than the classical rendering: PSNR 17.50 dB against 21.00 dB, CIEDE2000 12.20 against 9.00"
    )
    split = worse_than_classical({"psnr": 22.0, "delta_e00": 9.1}, better)
    assert split == "worse than the classical rendering: CIEDE2000 9.10 against 9.00"
    assert worse_than_classical(better | {"reference_free": 1.0}, worse | {"reference_free": 2.0}) == ""


def test_without_pairs_the_score_decides() -> None:
    assert "score 1.00 dB against 2.00 dB" in worse_than_classical({"reference_free": 1.0}, {"reference_free": 2.0})
    assert worse_than_classical({"reference_free": 2.0}, {"reference_free": 2.0, "psnr": 30.0}) == ""


def test_what_was_not_measured_says_nothing() -> None:
    assert worse_than_classical({}, {"reference_free": 2.0}) == ""
    assert worse_than_classical({"psnr": None}, {"psnr": 2.0}) == ""
    assert lines_beside_classical("m", {}, None) == []


def test_words_and_warning_are_a_line_each() -> None:
    lines = lines_beside_classical("the model", {**LOOK, "psnr": 1.0}, {"psnr": 2.0})
    assert lines[0].startswith("the model, beside the classical rendering: cast: none,")
    assert lines[1] == "warning: the model is worse than the classical rendering: PSNR 1.00 dB against 2.00 dB"
    assert len(lines) == 2
    assert not any("\n" in line for line in lines)
