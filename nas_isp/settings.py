"""Base of all settings models, and reading them from YAML with errors that name file, line and field."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo

from nas_isp.errors import InputError
from nas_isp.files import read_text

MAX_FILE_BYTES = 256 * 1024
"""Many times what any settings need. The YAML parser takes seconds for a file of this size."""


class Settings(BaseModel):
    """A frozen record: unknown fields are refused, values are validated, equal ones compare equal."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


SettingsT = TypeVar("SettingsT", bound=BaseModel)

FieldPath = tuple[int | str, ...]
"""Names and numbers that lead to a value within nested fields and lists."""


STORED = {"stored": True}
"""Context of a validation of what was checked when it was written: names of members that other packages add count as
known, so that what is done can be read where those are not installed."""


def load_yaml(path: Path, model: type[SettingsT], context: dict[str, Any] | None = None) -> SettingsT:
    """Read a YAML (or JSON) file into a settings model.

    Args:
        path: the file.
        model: the settings.
        context: of the validation; see `STORED`.

    Raises:
        InputError: unreadable file, malformed YAML or JSON, or a field that is missing, unknown or out of range;
            the one-line message names the file, the line and the field.
    """
    text = read_text(path, MAX_FILE_BYTES, "settings file")
    language = "JSON" if path.suffix.lower() == ".json" else "YAML"
    try:
        root, content = _parsed(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}, line {line}: malformed {language} ({error.problem or error.context})") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{path}, line 1: malformed {language} ({str(error).splitlines()[0]})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}, line 1: expected fields (`name: value`), got {type(content).__name__}")
    return validated(content, model, path, root, context)


def validated(
    content: object,
    model: type[SettingsT],
    origin: Path | str,
    root: yaml.Node | None = None,
    context: dict[str, Any] | None = None,
) -> SettingsT:
    """Validate plain data against a model; the first fault becomes an `InputError` naming `origin` and the field."""
    try:
        found = model.model_validate(content, context=context)
    except ValidationError as error:
        first = error.errors()[0]
        field, line = _place(first["loc"], root)
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        fault = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        raise InputError(f"{origin}{line}, field '{field}': {fault}{more}") from error
    # Only of what people write by hand: tables of thousands of kernels would take a third longer to read.
    path = None if root is None else _boolean_as_number(content, found)
    if path is not None:
        field, line = _place(path, root)
        raise InputError(f"{origin}{line}, field '{field}': yes, no, true and false are no numbers; give a number")
    return found


def is_stored(info: ValidationInfo) -> bool:
    """Whether a validation is one of what was checked before; see `STORED`."""
    return bool(info.context and info.context.get("stored"))


def _place(path: FieldPath, root: yaml.Node | None) -> tuple[str, str]:
    """A field's name, and in which line it is."""
    line = f", line {_line_of(root, path)}" if root is not None else ""
    return ".".join(str(part) for part in path) or "(file)", line


def _boolean_as_number(content: object, found: object, path: FieldPath = ()) -> FieldPath | None:
    """Where a boolean was taken for a number, as pydantic takes it for 0 or 1; None if nowhere."""
    if isinstance(content, bool):
        return path if isinstance(found, int | float) and not isinstance(found, bool) else None
    pairs: Iterable[tuple[int | str, object, object]] = ()
    if isinstance(content, dict):
        held = found if isinstance(found, dict) else vars(found) if isinstance(found, BaseModel) else {}
        pairs = ((name, value, held[name]) for name, value in content.items() if name in held)
    elif isinstance(content, list) and isinstance(found, list | tuple):
        pairs = ((index, *pair) for index, pair in enumerate(zip(content, found, strict=False)))
    places = (_boolean_as_number(value, taken, (*path, name)) for name, value, taken in pairs)
    return next((place for place in places if place is not None), None)


def read_json(path: Path, most_bytes: int) -> Any:
    """The content of a JSON file.

    Raises:
        InputError: unreadable, larger than `most_bytes`, or malformed; the message names file and line.
    """
    return parse_json(read_text(path, most_bytes, "JSON file of this kind"), path)


def parse_json(text: str, origin: Path | str) -> Any:
    """The content of a JSON text.

    Raises:
        InputError: malformed, too deep, or with a number of thousands of digits; the message names `origin`.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = f", line {error.lineno}" if "\n" in text else ""
        raise InputError(f"{origin}{line}: malformed JSON ({error.msg}); give a whole file") from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "a number of too many digits"
        raise InputError(f"{origin}: malformed JSON ({reason}); give a whole file") from error


def _parsed(text: str) -> tuple[yaml.Node | None, object]:
    """The nodes of a YAML document, and its content."""
    loader = _PlainLoader(text)
    try:
        root = loader.get_single_node()
        return root, None if root is None else loader.construct_document(root)
    finally:
        loader.dispose()


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that also refuses what settings files have no use for: aliases, tags, and fields given twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()
        is_alias = isinstance(event, yaml.AliasEvent)
        if is_alias or getattr(event, "tag", None) is not None:
            refused = "aliases" if is_alias else "tags"
            raise yaml.composer.ComposerError(None, None, f"{refused} are not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a field's name must be a text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' is given twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _line_of(root: yaml.Node, location: Sequence[str | int]) -> int:
    """The 1-based line of the deepest node on `location` that exists in the document."""
    node, line = root, root.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == part), None)
            if found is None:
                continue
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
