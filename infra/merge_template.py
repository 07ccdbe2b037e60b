"""Merge infra/template/*.yaml, one file per topic, into one CloudFormation template.

Each file holds whole entries of CloudFormation's sections (Parameters, Resources, Outputs, …), and
no entry stands in two files. Chalice merges the result into the template that it makes from app.py:
what both describe (a function, RestAPI) gets the properties of both.
"""

from collections.abc import Hashable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).with_name("template")
# The short forms that our files use: `!Sub x` for {"Fn::Sub": x}. Any other tag is refused.
FUNCTIONS = ("And", "Condition", "Equals", "GetAtt", "If", "Not", "Ref", "Select", "Split", "Sub")

Template = dict[str, dict[str, Any]]


class TemplateRefused(Exception):
    """A file of the template cannot be read or contradicts another; the message says where."""


class _Loader(yaml.SafeLoader):
    """Reads YAML with CloudFormation's short forms, and refuses a key that comes twice."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys = set()
        for key, _ in node.value:
            if key.value in keys:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value} comes twice", problem_mark=key.start_mark
                )
            keys.add(key.value)
        return node


def _long_form(name: str, loader: Any, node: yaml.Node) -> dict[str, Any]:
    """Return what `!name` and its argument are short for; a mapping is refused as argument."""
    if isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = loader.construct_scalar(node)
    if name == "GetAtt":
        argument = argument.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": argument}


for _name in FUNCTIONS:
    _Loader.add_constructor(f"!{_name}", partial(_long_form, _name))


def files(folder: Path = FOLDER) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


def merged(folder: Path = FOLDER) -> Template:
    """Return the entries of all files, section by section.

    Raises TemplateRefused when a file is no valid YAML, when a key comes twice in it, or when two
    files describe the same entry.
    """
    whole: Template = {}
    owners: dict[tuple[str, Hashable], str] = {}
    for path in files(folder):
        for section, entries in _sections(path).items():
            for name, entry in entries.items():
                owner = owners.setdefault((section, name), path.name)
                if owner != path.name:
                    raise TemplateRefused(
                        f"{section}/{name} is in {owner} and in {path.name}: one file must hold "
                        "all of it."
                    )
                whole.setdefault(section, {})[name] = entry
    return whole


def read(path: Path) -> Any:
    """Return what a file says, its short forms written out. Raises TemplateRefused."""
    try:
        return yaml.load(path.read_text(), Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path.name}, line {mark.line + 1}" if mark else path.name
        raise TemplateRefused(f"{where}: {error.problem}.") from None


def _sections(path: Path) -> Template:
    content = read(path)
    if not isinstance(content, dict) or not all(isinstance(it, dict) for it in content.values()):
        raise TemplateRefused(f"{path.name}: sections such as Resources with named entries only.")
    return content
