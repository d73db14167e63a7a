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
        reason = str(error).splitlines()[0]
        raise InputError(
            f"compute '{name}' cannot be used ({reason}); give auto, cpu, or cuda on a machine with one", "compute"
        ) from error
    return name
