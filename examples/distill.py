"""Teach a network of a study by a larger one.

Run: python examples/distill.py STUDY STUDENT.safetensors [BUDGET] [RECIPE]
"""

import sys

import nas_isp


def main(study: str, output: str, budget: str = "4m", recipe: str | None = None) -> None:
    """The knee of the front; the recipe says which teacher is trained, by default the study's own."""
    distilled = nas_isp.distill_model(study, output, trial="knee", teacher=recipe, budget=budget, note=print)

    for role, scores in distilled.scores().items():
        print(f"{role}: {scores['quality']:.3f} ({scores['score_kind']})")


if __name__ == "__main__":
    main(*sys.argv[1:])
