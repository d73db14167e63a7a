"""Search spaces: declarative sets of architectures, read from `search_spaces/*.yaml`."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import Field, model_validator

from nas_isp import resources
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Block, BlockKindName, PlainArchitecture
from nas_isp.generators.blocks import keeps_every_pixel
from nas_isp.generators.conv_spec import PACKED_CHANNELS, Activation
from nas_isp.settings import Settings, load_yaml

if TYPE_CHECKING:
    import numpy as np
    from optuna.trial import BaseTrial

Choose = Callable[[str, Sequence[Any]], Any]
"""Answers a named question with one of its options."""

Option = TypeVar("Option")
Options = Annotated[tuple[Option, ...], Field(min_length=1)]
Width = Annotated[int, Field(ge=1, le=512)]
Depth = Annotated[int, Field(ge=1, le=16)]


class SearchSpace(Settings):
    """All networks that one may build from these options, each in one way only.

    A residual is only asked for where it is legal, and a strided 1x1 convolution never is in the first block of a
    scale-4 network: it would drop three pixels of four.
    """

    description: Annotated[str, Field(description="One sentence for people.")]
    scales: Annotated[Options[Literal[2, 4]], Field(description="Output pixels per trunk pixel and side.")]
    depths: Annotated[Options[Depth], Field(description="Numbers of trunk blocks.")]
    widths: Annotated[Options[Width], Field(description="Channels of a block.")]
    kinds: Annotated[Options[BlockKindName], Field(description="Kinds of block.")]
    activations: Annotated[Options[Activation], Field(description="Activations after the first block.")]
    first_activations: Annotated[Options[Activation], Field(description="Activations of the first block.")]
    residuals: Annotated[Options[bool], Field(description="Whether a block may add its input.")] = (False,)
    tail_kernels: Annotated[Options[Literal[1, 3, 5]], Field(description="Kernels of the last convolution.")] = (3,)
    tail_activations: Annotated[
        Options[Literal["none", "relu"]], Field(description="Activations before PixelShuffle.")
    ] = ("none",)
    color_heads: Annotated[Options[bool], Field(description="Whether there is a global color head.")] = (False,)
    anchors: Annotated[tuple[PlainArchitecture, ...], Field(description="Members that a search tries first.")] = ()

    @model_validator(mode="after")
    def _is_a_set(self) -> "SearchSpace":
        for name, options in self:
            if isinstance(options, tuple) and name != "anchors" and len(set(options)) != len(options):
                raise ValueError(f"{name}: {list(options)} names an option twice")
        if 4 in self.scales and not self._kinds(strided=True):
            raise ValueError("kinds: a scale of 4 needs a first block that sees every pixel, with a kernel of 3 or 5")
        if False not in self.residuals:
            raise ValueError("residuals: false must be among them, since not every block can have one")
        for index, anchor in enumerate(self.anchors):
            try:
                self.encode(anchor)
            except InputError as error:
                raise ValueError(f"anchors.{index}: {error}") from error
        return self

    def suggest(self, trial: "BaseTrial") -> PlainArchitecture:
        """Ask an Optuna trial for a member.

        Parameters are flat and conditional: `block3.kind` exists in networks of four blocks and more. Numbers are
        suggested by their position (`block3.channels_index`), so that a sampler sees their order.
        """

        def choose(name: str, options: Sequence[Any]) -> Any:
            if _is_ordered(options):
                return options[trial.suggest_int(f"{name}_index", 0, len(options) - 1)]
            return trial.suggest_categorical(name, options)

        return self._compose(choose)

    def sample(self, rng: "np.random.Generator") -> PlainArchitecture:
        """A random member: every question is answered uniformly."""
        return self._compose(lambda name, options: options[int(rng.integers(len(options)))])

    def encode(self, architecture: PlainArchitecture) -> dict[str, Any]:
        """The Optuna parameters with which `suggest` gives this member.

        Raises:
            InputError: the architecture is not in this space; the message names the first option that is missing.
        """
        wanted, parameters = _answers(architecture), {}

        def choose(name: str, options: Sequence[Any]) -> Any:
            answer = wanted[name]
            if answer not in options:
                raise InputError(f"{name} {answer} is not in this space; allowed are {', '.join(map(str, options))}")
            if len(options) > 1:
                ordered = _is_ordered(options)
                parameters[f"{name}_index" if ordered else name] = options.index(answer) if ordered else answer
            return answer

        if self._compose(choose) != architecture:
            raise InputError("this architecture has a feature that the space does not offer")
        return parameters

    def members(self) -> Iterator[PlainArchitecture]:
        """Every member, once."""
        prefix: list[int] = []
        while True:
            trail: list[tuple[int, int]] = []
            yield self._compose(_replaying(prefix, trail))
            while trail and trail[-1][0] + 1 == trail[-1][1]:
                trail.pop()
            if not trail:
                return
            prefix = [index for index, _ in trail[:-1]] + [trail[-1][0] + 1]

    def short_networks(self) -> Iterator[PlainArchitecture]:
        """Networks of one or two blocks that together have every kernel that any member has.

        What a block costs depends on its own options, the channels before it and whether it is the first; what tail and
        color head cost on the channels before them. Where the space has no such short members, these are not members.
        """
        for scale in self.scales:
            start = self._kinds(scale == 4)[0]
            for width in self.widths:
                first = Block(kind=start, channels=width, activation=self.first_activations[0])
                for tail, activation, head in product(self.tail_kernels, self.tail_activations, self.color_heads):
                    yield PlainArchitecture(
                        scale=scale, blocks=(first,), tail_kernel=tail, tail_activation=activation, color_head=head
                    )
                if max(self.depths) > 1:
                    for block in self._blocks(self.kinds, self.activations, width):
                        yield PlainArchitecture(scale=scale, blocks=(first, block))
            for block in self._blocks(self._kinds(scale == 4), self.first_activations, PACKED_CHANNELS):
                if not (block.residual and scale == 4):
                    yield PlainArchitecture(scale=scale, blocks=(block,))

    def _blocks(self, kinds: Sequence[str], activations: Sequence[Activation], channels: int) -> Iterator[Block]:
        """Every block that may follow so many channels."""
        for kind, width, activation, residual in product(kinds, self.widths, activations, self.residuals):
            if not residual or width == channels:
                yield Block(kind=kind, channels=width, activation=activation, residual=residual)

    def size(self) -> int:
        """Number of members."""
        outer = len(self.tail_kernels) * len(self.tail_activations) * len(self.color_heads)
        return outer * sum(self._count_trunks(scale, depth) for scale in self.scales for depth in self.depths)

    def _compose(self, choose: Choose) -> PlainArchitecture:
        def ask(name: str, options: Sequence[Any]) -> Any:
            return options[0] if len(options) == 1 else choose(name, options)

        scale, depth = ask("scale", self.scales), ask("depth", self.depths)
        channels, blocks = PACKED_CHANNELS, []
        for index in range(depth):
            name = f"block{index}"
            strided = scale == 4 and index == 0
            kind = ask(f"{name}.strided_kind" if strided else f"{name}.kind", self._kinds(strided))
            width = ask(f"{name}.channels", self.widths)
            activation = ask(f"{name}.activation", self._activations(index))
            legal = channels == width and not strided
            residual = ask(f"{name}.residual", self.residuals) if legal else False
            blocks.append(Block(kind=kind, channels=width, activation=activation, residual=residual))
            channels = width
        return PlainArchitecture(
            scale=scale,
            blocks=tuple(blocks),
            tail_kernel=ask("tail_kernel", self.tail_kernels),
            tail_activation=ask("tail_activation", self.tail_activations),
            color_head=ask("color_head", self.color_heads),
        )

    def _kinds(self, strided: bool) -> tuple[str, ...]:
        return tuple(filter(keeps_every_pixel, self.kinds)) if strided else self.kinds

    def _activations(self, index: int) -> tuple[Activation, ...]:
        return self.activations if index else self.first_activations

    def _count_trunks(self, scale: int, depth: int) -> int:
        """Counts by dynamic programming over the channels of the last block."""
        counts = {PACKED_CHANNELS: 1}
        for index in range(depth):
            strided = scale == 4 and index == 0
            variants = len(self._kinds(strided)) * len(self._activations(index))
            grown = dict.fromkeys(self.widths, 0)
            for channels, count in counts.items():
                for width in self.widths:
                    legal = channels == width and not strided
                    grown[width] += count * variants * (len(self.residuals) if legal else 1)
            counts = grown
        return sum(counts.values())


def load_space(name_or_path: str) -> SearchSpace:
    """The space of a shipped name or a file.

    Raises:
        InputError: unknown name (the message lists the known ones) or a malformed file.
    """
    return load_yaml(resources.find("search_spaces", name_or_path), SearchSpace)


def _is_ordered(options: Sequence[Any]) -> bool:
    return all(isinstance(option, int) and not isinstance(option, bool) for option in options)


def _replaying(prefix: list[int], trail: list[tuple[int, int]]) -> Choose:
    """Answers with the positions in `prefix`, then with first options; notes (position, options) in `trail`."""

    def choose(name: str, options: Sequence[Any]) -> Any:
        index = prefix[len(trail)] if len(trail) < len(prefix) else 0
        trail.append((index, len(options)))
        return options[index]

    return choose


def _answers(architecture: PlainArchitecture) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "scale": architecture.scale,
        "depth": len(architecture.blocks),
        "tail_kernel": architecture.tail_kernel,
        "tail_activation": architecture.tail_activation,
        "color_head": architecture.color_head,
        "block0.strided_kind": architecture.blocks[0].kind,
    }
    for index, block in enumerate(architecture.blocks):
        answers |= {f"block{index}.{field}": value for field, value in block}
    return answers
