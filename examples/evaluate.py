"""Score a model on true pairs, beside the classical rendering of a study.

Run: python examples/evaluate.py MODEL PAIRS [STUDY]
"""

import sys

import nas_isp


def main(model: str, pairs: str, study: str | None = None) -> None:
    """PAIRS holds raw/ and rgb/ with equal stems."""
    found = nas_isp.evaluate_model(model, pairs, baseline=study)

    for name, one in {"model": found, **found.baselines}.items():
        scores = one.scores
        print(f"{name}: PSNR {scores.psnr:.2f} dB, SSIM {scores.ssim:.3f}, CIEDE2000 {scores.delta_e00:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
