"""Search the demo set, or folders of your own, and show the front.

Run: python examples/search.py STUDY [BUDGET] [RAW RGB]
"""

import sys
from pathlib import Path

import nas_isp


def main(study: str = "study", budget: str = "3m", raw: str | None = None, rgb: str | None = None) -> None:
    """Go on with the study if there is one; what was trained is kept whatever ends the search."""
    found = nas_isp.run_search(raw, rgb, study=study, budget=budget, device="pixel4-gpu", max_latency_ms=40)

    print(f"{found.counts()['complete']} networks are complete; none beats these in both quality and latency:")
    for trial in found.front():
        knee = " (the best compromise)" if trial.trial == found.knee().trial else ""
        print(f"trial {trial.trial}: {trial.quality:.3f} at {trial.latency_ms:.2f} ms{knee}")
    print(f"with pictures: {Path(study) / 'report.html'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
