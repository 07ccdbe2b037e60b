"""Mutants of what proves a caller: signatures, tokens, roles, page tokens, limits."""

import ast
from collections.abc import Iterator

from tests.mutation.mutants import Line, Mutant, removed
from tests.mutation.sources import App, Module, Place

ANY_RIGHT = "()"
COMPARISONS = frozenset({"compare_digest", "verify"})


def mutants(app: App) -> Iterator[Mutant]:
    for module in app.modules:
        for place in module.places:
            if isinstance(place.node, ast.Call):
                yield from _of_call(app, module, place, place.node)
            elif isinstance(place.node, ast.Assign):
                yield from _of_scope(app, module, place, place.node)


def _of_call(app: App, module: Module, place: Place, call: ast.Call) -> Iterator[Mutant]:
    name = ast.unparse(call.func)
    last = name.rpartition(".")[2]
    if last in COMPARISONS:
        yield removed(module, place, "signature", by="True", sharp=_handlers(module, place))
    if name == "jwt.decode":
        yield from _of_decode(module, place, call)
    if last == "operation":
        yield from _of_operation(app, module, place, call)
    if last == "join" and "scope" in {ast.unparse(argument) for argument in call.args}:
        sharp = app.raises("chalicelib.api.pages.key_of")
        yield removed(module, place, "scope", by="''", sharp=sharp)


def _handlers(module: Module, place: Place) -> set[Line]:
    """The lines that handle what fails at `place`."""
    trying = [node for node in place.around if isinstance(node, ast.Try)]
    handling = [one for node in trying[-1:] for handler in node.handlers for one in handler.body]
    return {(module.path, statement.lineno) for statement in handling}


def _of_decode(module: Module, place: Place, call: ast.Call) -> Iterator[Mutant]:
    """A session without its signature, its audience, or a claim that it must have."""
    sharp = _handlers(module, place)
    for word in call.keywords:
        here = Place(word.value, place.function, (*place.around, call, word))
        if word.arg == "options" and isinstance(word.value, ast.Dict):
            for at, what, by in _of_options(here, word.value):
                yield removed(module, at, "session", by=by, what=what, within=[call], sharp=sharp)
        if word.arg == "algorithms":
            by = "['HS256', 'HS384', 'HS512']"
            yield removed(module, here, "session", by=by, within=[call], sharp=sharp)


def _of_options(place: Place, options: ast.Dict) -> Iterator[tuple[Place, ast.expr | str, str]]:
    """(what is replaced, what is gone with it, by what)."""
    source = ast.unparse(options).removesuffix("}")
    for what, more in {
        "signature": "'verify_signature': False, 'verify_aud': True}",
        "audience": "'verify_aud': False}",
    }.items():
        yield place, what, f"{source}, {more}"
    for key, value in zip(options.keys, options.values, strict=True):
        if key is None or ast.unparse(key) != "'require'" or not isinstance(value, ast.List):
            continue
        at = Place(value, place.function, (*place.around, options))
        for dropped in value.elts:
            kept = ast.List([one for one in value.elts if one is not dropped], ast.Load())
            yield at, dropped, ast.unparse(kept)


def _of_operation(app: App, module: Module, place: Place, call: ast.Call) -> Iterator[Mutant]:
    """An operation open to every role, or to any number of requests."""
    function = next((n for n in reversed(place.around) if isinstance(n, ast.FunctionDef)), None)
    if function is None or call not in function.decorator_list:
        return
    named = Place(call, function.name, place.around)
    forbidden = app.raises("chalicelib.api.auth.staff_of")
    too_many = app.raises("chalicelib.api.limits.kept")
    for word in call.keywords:
        here = Place(word.value, named.function, (*place.around, call, word))
        if word.arg == "right":
            yield removed(module, here, "right", by=ANY_RIGHT, lines=forbidden)
        if word.arg == "limited":
            yield removed(module, here, "limit", by="()", lines=too_many)


def _of_scope(app: App, module: Module, place: Place, assigned: ast.Assign) -> Iterator[Mutant]:
    """A page token that is good for another list, or for another reader."""
    if ast.unparse(assigned.targets[0]) != "scope" or not isinstance(assigned.value, ast.Tuple):
        return
    value = Place(assigned.value, place.function, (*place.around, assigned))
    sharp = app.raises("chalicelib.api.pages.key_of")
    for dropped in assigned.value.elts:
        kept = ast.Tuple([one for one in assigned.value.elts if one is not dropped], ast.Load())
        yield removed(module, value, "scope", by=ast.unparse(kept), what=dropped, sharp=sharp)
