"""Which device a verb computes on."""

from nas_isp.errors import InputError


def torch_device(name: str) -> str:
    """Resolve `auto` to the GPU if there is one, and check any other name.

    Raises:
        InputError: torch does not know the device, or it is not here.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"device '{name}' cannot be used ({reason}); give auto, cpu, or cuda on a machine with one"
        ) from error
    return name
