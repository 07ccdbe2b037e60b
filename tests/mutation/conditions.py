"""Mutants of conditional writes: a condition without one of its operands, or without any.

What is left of an update's condition when all is gone is "the item exists", for without it an
update creates the item. A put that has no condition of its own means "where there is none".
"""

import ast
from collections.abc import Iterator

from tests.mutation.mutants import Mutant, removed
from tests.mutation.sources import App, Function, Module, Place

_PK = "__import__('chalicelib.tables.base', fromlist=['StoredItem']).StoredItem.pk"
EXISTS = f"({_PK}.exists())"
ALWAYS = f"({_PK}.exists() | {_PK}.does_not_exist())"


def mutants(app: App) -> Iterator[Mutant]:
    for module in app.modules:
        for place in module.places:
            node = place.node
            if isinstance(node, ast.Call):
                yield from _of_call(module, place, node)
            elif isinstance(node, Function):
                yield from _of_variables(module, node)


def _of_call(module: Module, place: Place, call: ast.Call) -> Iterator[Mutant]:
    statement = _statement(place)
    given = {word.arg: word.value for word in call.keywords}
    condition = given.get("condition")
    if condition is not None and not _is_parameter(condition, place):
        inside = Place(condition, place.function, (*place.around, call))
        yield from _of_condition(module, inside, statement)
    name = ast.unparse(call.func)
    if name == "writes.put" and condition is None:
        start = call.args[-1]
        by = f"{ast.unparse(start)}, condition={ALWAYS}"
        at = Place(start, place.function, place.around)
        what = f"{ast.unparse(start)} is put where there is none"
        yield removed(module, at, "once", by=by, what=what, within=[statement])
    if name == "put_new":
        by = f"bool(({ast.unparse(call.args[0])}).save() or True)"
        yield removed(module, place, "once", by=by, within=[statement])


def _of_variables(module: Module, function: Function) -> Iterator[Mutant]:
    """Conditions that are put together before they are used, or handed to a caller."""
    own = [p for p in module.places if p.around and _innermost(p) is function]
    names = {ast.unparse(w.value) for p in own for w in _words(p.node, "condition")}
    makes_conditions = function.returns is not None and "Condition" in ast.unparse(function.returns)
    for place in own:
        node = place.node
        value: ast.expr | None = None
        if _is_assigned(node, names):
            value = node.value  # type: ignore[attr-defined]
        elif isinstance(node, ast.Return) and makes_conditions:
            value = node.value if isinstance(node.value, ast.BinOp) else None
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.BitAnd):
            yield removed(module, place, "condition", by="pass", what=node.value, at=node)
        if value is not None and not isinstance(value, ast.Name):
            inside = Place(value, place.function, (*place.around, node))
            used = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
            yield from _of_condition(
                module, inside, node, part=used in names or _is_part(node, own)
            )


def _of_condition(
    module: Module, place: Place, statement: ast.AST, *, part: bool = False
) -> Iterator[Mutant]:
    """part: it is not all of a condition; what uses it is looked at where it does."""
    assert isinstance(place.node, ast.expr)
    operands = _operands(place.node)
    if isinstance(place.node, ast.Call) and ast.unparse(place.node).startswith("super()"):
        return
    if len(operands) > 1:
        for dropped in operands:
            kept = " & ".join(f"({ast.unparse(one)})" for one in operands if one is not dropped)
            by = f"({kept})"
            yield removed(module, place, "condition", by=by, what=dropped, within=[statement])
    if part and len(operands) == 1:
        yield removed(module, place, "condition", by=_weakest(place.node), within=[statement])
    elif not part:
        yield removed(module, place, "whole condition", by=_weakest(place.node), within=[statement])


def _operands(condition: ast.expr) -> list[ast.expr]:
    if isinstance(condition, ast.BinOp) and isinstance(condition.op, ast.BitAnd):
        return [*_operands(condition.left), *_operands(condition.right)]
    return [condition]


def _weakest(condition: ast.expr) -> str:
    """What stands for no condition at all: the item exists, unless it need not."""
    operands = _operands(condition)
    either = any(
        isinstance(one, ast.BinOp) and "does_not_exist" in ast.unparse(one) for one in operands
    )
    nothing_else = all(ast.unparse(one).endswith("exist()") for one in operands)
    existence = all(ast.unparse(one).endswith("exists()") for one in operands)
    return ALWAYS if either or nothing_else or existence else EXISTS


def _statement(place: Place) -> ast.AST:
    return next(node for node in reversed(place.around) if isinstance(node, ast.stmt))


def _innermost(place: Place) -> ast.AST | None:
    return next((node for node in reversed(place.around) if isinstance(node, Function)), None)


def _is_parameter(value: ast.expr, place: Place) -> bool:
    """Whether the condition is the caller's: then it is found there."""
    around = [node for node in place.around if isinstance(node, Function)]
    arguments = [a.arg for f in around for a in (*f.args.args, *f.args.kwonlyargs)]
    return isinstance(value, ast.Name) and value.id in arguments


def _is_assigned(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.annotation) == "Condition"
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in names


def _is_part(node: ast.AST, own: list[Place]) -> bool:
    """Whether an annotated condition is one operand of another one in its function."""
    if not isinstance(node, ast.AnnAssign):
        return False
    name = ast.unparse(node.target)
    chains = (p.node for p in own if isinstance(p.node, ast.BinOp))
    return any(name in {ast.unparse(one) for one in _operands(chain)} for chain in chains)


def _words(node: ast.AST, name: str) -> Iterator[ast.keyword]:
    if isinstance(node, ast.Call):
        yield from (word for word in node.keywords if word.arg == name)
