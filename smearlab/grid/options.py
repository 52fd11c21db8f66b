"""The options of a registered entry as a pydantic model, built from its signature without importing it."""

import ast
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from smearlab.core.errors import UserError
from smearlab.core.registry import REQUIRED, Option, describe

SCALARS = {"int": int, "float": float, "bool": bool, "str": str, "None": None}
MANAGED = {"schedules": ("milestones", "factor")}  # options that the config spells in a way of its own, by kind
SWEPT = ("alpha", "transition", "rate")  # as alphas, transition and rates, for every other kind


@cache
def options_model(kind: str, name: str) -> type[BaseModel]:
    """Return a strict model with one field for each option of an entry that the config may set."""
    fields = {
        option.name: (_type(option), Field() if option.default is REQUIRED else Field(default=option.default))
        for option in describe(kind, name).options.values()
        if option.name not in MANAGED.get(kind, SWEPT)
    }
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())
    create: Any = create_model
    return create(f"{name} options", __config__=config, **fields)


@cache
def special_type(kind: str, name: str, option: str) -> Any:
    """Return the type of one option (alpha, rate) with its bounds, or None where the entry does not take it."""
    found = describe(kind, name).options.get(option)
    return None if found is None else _type(found)


def _type(option: Option) -> Any:
    if option.annotation is None:
        raise UserError(f"option {option.name!r} has no annotation")
    return _read(option.annotation, option)


def _read(node: ast.expr, option: Option) -> Any:
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Name(id=name) if name in SCALARS:
            return SCALARS[name]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _read(left, option) | _read(right, option)
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choices):
            values = ast.literal_eval(choices)
            return Literal[values]  # a tuple of choices or a single one
        case ast.Subscript(value=ast.Name(id="list"), slice=item):
            kind: Any = list
            return kind[_read(item, option)]
        case ast.Subscript(value=ast.Name(id="dict")):
            return dict[str, Any]
        case ast.Name(id="dict"):
            return dict[str, Any]
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[inner, *extra])):
            return Annotated[(_read(inner, option), *map(_bounds, extra))]
    raise UserError(f"option {option.name!r}: annotation {option.text!r} is not one a config can check")


def _bounds(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        return Field(**{keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg})
    return ast.literal_eval(node)
