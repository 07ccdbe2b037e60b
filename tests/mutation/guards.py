"""Mutants of refusals in code: `if …: raise`, `if …: return` before a write, mere checks."""

import ast
from collections.abc import Iterator, Sequence

from tests.mutation.mutants import Mutant, removed
from tests.mutation.sources import App, Module, Place

LAYERS = frozenset({"api", "services", "gateways", "domain", "tables"})


def mutants(app: App) -> Iterator[Mutant]:
    for module in app.modules:
        if module.layer not in LAYERS:
            continue
        for place in module.places:
            if isinstance(place.node, ast.If):
                yield from _of_if(app, module, place, place.node)
            elif isinstance(place.node, ast.Expr) and isinstance(place.node.value, ast.Call):
                yield from _of_check(app, module, place, place.node.value)


def _of_if(app: App, module: Module, place: Place, branch: ast.If) -> Iterator[Mutant]:
    kind = _kind(app, module, place, branch)
    if kind is None:
        return
    test = Place(branch.test, place.function, (*place.around, branch))
    body = branch.body
    yield removed(module, test, kind, by="False", within=body)
    if isinstance(branch.test, ast.BoolOp) and isinstance(branch.test.op, ast.Or):
        for dropped in branch.test.values:
            kept = [value for value in branch.test.values if value is not dropped]
            by = " or ".join(f"({ast.unparse(value)})" for value in kept)
            own = _tenant_or(kind, dropped)
            yield removed(module, test, own, by=f"({by})", what=dropped, within=body)


def _kind(app: App, module: Module, place: Place, branch: ast.If) -> str | None:
    """What sort of guard it is; None when it is none."""
    last = branch.body[-1]
    if isinstance(last, ast.Raise):
        return _tenant_or("raise", branch.test)
    if len(branch.body) > 1 or branch.orelse:
        return None
    if module.layer in ("domain", "services") and isinstance(last, ast.Return):
        value = last.value
        if isinstance(value, ast.Call) and ast.unparse(value.func) in app.errors:
            return "raise"
    if module.layer != "services" or not isinstance(last, ast.Return | ast.Continue):
        return None
    plain = ast.Constant | ast.Name | ast.Attribute | ast.Tuple
    answers = isinstance(last, ast.Continue) or last.value is None or isinstance(last.value, plain)
    if answers and any(app.writes(module, later) for later in _later(place, branch)):
        return "skip" if isinstance(last, ast.Continue) else "return"
    return None


def _tenant_or(kind: str, test: ast.expr) -> str:
    """`tenant` where two ids of the same name are compared: whose it is."""
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and len(node.comparators) == 1:
            left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
            names = left.rpartition(".")[2], right.rpartition(".")[2]
            if names[0] == names[1] and names[0].endswith("_id") and left != right:
                return "tenant"
    return kind


def _later(place: Place, branch: ast.If) -> Sequence[ast.stmt]:
    """The statements after the branch, in its block."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(place.around[-1], name, None)
        if isinstance(block, list) and branch in block:
            return block[block.index(branch) + 1 :]
    return ()


def _of_check(app: App, module: Module, place: Place, call: ast.Call) -> Iterator[Mutant]:
    if any(isinstance(one, ast.Lambda) or app.is_function(module, one) for one in call.args):
        return  # what it does is done by the function that it is given
    sharp = app.refusing_lines(module, call)
    if sharp:
        yield removed(module, place, "check", by="pass", sharp=sharp)
