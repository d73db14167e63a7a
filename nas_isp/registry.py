"""Registries: the doors through which a package outside adds a block, a loss term, a sampler and so on, by name.

Members come from three places, which a caller cannot tell apart: this package (named as ``module:attribute``, so that
nothing is imported before it is used), entry points of installed packages, and calls of `Registry.register`.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from nas_isp.errors import InputError

Member = TypeVar("Member")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_OWN = "nas_isp"


class Registry(Generic[Member]):
    """The members of one kind by name, in the order built in, registered, installed.

    Attributes:
        noun: what a member is, for messages, such as "block".
        group: entry-point group of installed packages, such as "nas_isp.blocks".
    """

    def __init__(self, noun: str, group: str, own: Mapping[str, str]) -> None:
        """`own` are this package's members: name -> ``module:attribute``."""
        self.noun, self.group = noun, group
        self._own = dict(own)
        self._registered: dict[str, Member] = {}
        self._loaded: dict[str, Member] = {}

    def register(self, name: str, member: Member) -> None:
        """Add a member for this process, and for the workers of searches that it starts.

        Raises:
            ValueError: a name that is taken, or that is not of small letters, digits, dots, dashes and underscores.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{self.noun} '{name}': a name is of small letters, digits, '.', '-' and '_', and begins with a letter "
                "or digit"
            )
        if name in self:
            raise ValueError(f"{self.noun} '{name}' is there already, from {self._origin(name)}; give another name")
        self._registered[name] = member

    def __getitem__(self, name: str) -> Member:
        """The member of a name, imported if it was not used before.

        Raises:
            InputError: unknown, defined by several packages, or one that cannot be imported.
        """
        if name in self._registered:
            return self._registered[name]
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._registered or name in self._installed

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._own, *self._registered, *self._installed]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<registry of {self.noun}: {', '.join(self)}>"

    def check(self, name: str) -> str:
        """The same name, if there is such a member; it is not imported.

        Raises:
            InputError: unknown; the message lists the known names.
        """
        if name not in self:
            known = ", ".join(self)
            raise InputError(f"unknown {self.noun} '{name}': known are {known}; give one, or install what adds it")
        return name

    @property
    def registered(self) -> dict[str, Member]:
        """What `register` has added, for handing on to other processes."""
        return dict(self._registered)

    def adopt(self, members: Mapping[str, Member]) -> None:
        """Take over what was `registered` in another process."""
        self._registered |= members

    @cached_property
    def _installed(self) -> dict[str, list[EntryPoint]]:
        found: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=self.group):
            found.setdefault(point.name, []).append(point)
        return found

    def _load(self, name: str) -> Member:
        self.check(name)
        points = self._installed.get(name, [])
        if len(points) + (name in self._own) > 1:
            raise InputError(
                f"{self.noun} '{name}' is defined more than once, by {self._origin(name)}; uninstall all but one"
            )
        reference = points[0].value if points else self._own[name]
        module, _, attribute = reference.partition(":")
        try:
            member: Member = getattr(import_module(module), attribute)
        except Exception as error:
            if not points:
                raise
            # A package of somebody else can fail to be imported in any way.
            raise InputError(
                f"{self.noun} '{name}' of package {self._origin(name)} cannot be imported "
                f"({type(error).__name__}: {' '.join(str(error).split())[:200]}); mend or uninstall that package"
            ) from error
        return member

    def _origin(self, name: str) -> str:
        """The packages that define a name."""
        packages = [_OWN] * (name in self._own) + ["this process"] * (name in self._registered)
        packages += [point.dist.name if point.dist else point.value for point in self._installed.get(name, [])]
        return " and ".join(packages)
