"""`nas-isp latency`."""

from nas_isp.cli.latency.commands import register

__all__ = ["register"]
