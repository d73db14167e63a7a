"""Which processor computes: the CPU or a GPU of this machine."""

from nas_isp.errors import InputError


def compute_device(name: str = "auto") -> str:
    """What torch calls a processor; `auto` is the GPU if there is one.

    Raises:
        InputError: torch does not know the processor, or it is not here.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"compute '{name}' cannot be used here; give {' or '.join(_processors())}", "compute"
        ) from error
    return name


def _processors() -> list[str]:
    """What this machine has: torch's own list is of all that it was ever built for."""
    import torch

    found = ["auto", "cpu"]
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        found += ["cuda"] if count == 1 else ["cuda", *(f"cuda:{number}" for number in range(count))]
    return [*found, "mps"] if torch.backends.mps.is_available() else found
