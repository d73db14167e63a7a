"""Refusing the matrix tiles (AMX) of newer Intel processors to code that would take them to its disadvantage."""

import ctypes
import platform
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Thread

STACK_BYTES = 8192
"""A stack for signal handlers that cannot hold the 8 KiB of the tiles' registers beside everything else."""

STACK_OFF = 2
"""Linux's SS_DISABLE."""

ARCH_PRCTL, ASK_FOR_PERMISSION, TILES = 158, 0x1023, 18
"""Linux's call for the tiles on x86-64 (Documentation/arch/x86/xstate.rst)."""


def has_matrix_tiles() -> bool:
    """Whether this is Linux on a processor that multiplies 8-bit matrices in tiles."""
    processor = Path("/proc/cpuinfo")
    return platform.machine() == "x86_64" and processor.is_file() and " amx_int8" in processor.read_text()


def take_matrix_tiles() -> None:
    """Ask Linux for the tiles, as other programs do; from then on nothing in this process can be kept from them.

    Raises:
        OSError: they were refused.
    """
    if ctypes.CDLL(None, use_errno=True).syscall(ARCH_PRCTL, ASK_FOR_PERMISSION, TILES):
        raise OSError(ctypes.get_errno(), "the matrix tiles were refused")


def run_without_matrix_tiles(action: Callable[[], None]) -> None:
    """Run an action during which Linux refuses the tiles to this process, unless it has been given them before.

    A process has to ask for the tiles, once. Linux refuses while any thread has a signal stack that their registers
    would not fit (Linux, Documentation/arch/x86/xstate.rst); a thread with such a stack runs the action.

    Raises:
        Exception: what the action raises.
    """
    failed: list[BaseException] = []

    def run() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        _set_signal_stack(_SignalStack(ctypes.addressof(memory), 0, STACK_BYTES))
        try:
            action()
        except BaseException as error:
            failed.append(error)
        finally:
            _set_signal_stack(_SignalStack(None, STACK_OFF, 0))

    memory = ctypes.create_string_buffer(STACK_BYTES)
    thread = Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


class _SignalStack(ctypes.Structure):
    """Linux's `stack_t`."""

    _fields_ = (("pointer", ctypes.c_void_p), ("flags", ctypes.c_int), ("size_bytes", ctypes.c_size_t))


def _set_signal_stack(stack: _SignalStack) -> None:
    """Give the calling thread a stack for its signal handlers; Linux refuses a small one to a process with tiles."""
    ctypes.CDLL(None).sigaltstack(ctypes.byref(stack), None)
