"""The app's sources as trees: what each function is called, which ones write, which only check."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
_WRITES = frozenset({"transaction", "update_one", "put_new"})  # of tables.base
_WRITING_METHODS = frozenset({"save", "delete"})
CHECKS_DEPTH_MAX = 4


@dataclass(frozen=True)
class Place:
    """A node, the dotted name of the function around it, and all nodes around it."""

    node: ast.AST
    function: str
    around: tuple[ast.AST, ...]


@dataclass(eq=False)
class Module:
    """One source file."""

    path: str  # from the root, with slashes
    source: bytes
    tree: ast.Module
    line_starts: list[int] = field(default_factory=list)

    @classmethod
    def read(cls, root: Path, path: str) -> "Module":
        source = (root / path).read_bytes()
        starts = [0]
        for line in source.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        return cls(path, source, ast.parse(source), starts)

    @property
    def layer(self) -> str:
        """services, domain, …; empty for the modules beside them."""
        parts = self.path.split("/")
        return parts[1] if len(parts) > 2 else ""

    @cached_property
    def name(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".")

    @cached_property
    def places(self) -> list[Place]:
        return list(_places(self.tree, "", ()))

    @cached_property
    def imported(self) -> dict[str, str]:
        """Local names of what is imported, by their full names."""
        found = {}
        for place in self.places:
            if isinstance(place.node, ast.ImportFrom) and place.node.module:
                for name in place.node.names:
                    found[name.asname or name.name] = f"{place.node.module}.{name.name}"
        return found

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where the node is in `source`, in bytes."""
        assert isinstance(node, ast.expr | ast.stmt | ast.keyword)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.line_starts[node.lineno - 1] + node.col_offset
        return start, self.line_starts[node.end_lineno - 1] + node.end_col_offset


def _places(node: ast.AST, function: str, around: tuple[ast.AST, ...]) -> Iterator[Place]:
    """Every node below `node`; names as Python's own `co_qualname` has them."""
    for child in ast.iter_child_nodes(node):
        yield Place(child, function, (*around, node))
        inner = function
        if isinstance(child, Function | ast.ClassDef):
            in_class = isinstance(_owner((*around, node)), ast.ClassDef)
            between = "." if in_class else ".<locals>."
            inner = f"{function}{between}{child.name}" if function else child.name
        yield from _places(child, inner, (*around, node))


def _owner(around: tuple[ast.AST, ...]) -> ast.AST | None:
    """The class or function that what is inside `around` belongs to."""
    return next((n for n in reversed(around) if isinstance(n, Function | ast.ClassDef)), None)


@dataclass(frozen=True)
class Known:
    """A function of the app, and the module it is in."""

    module: Module
    node: Function


class App:
    """All modules, and which functions call which, as far as names tell."""

    def __init__(self, root: Path) -> None:
        files = sorted((root / "chalicelib").rglob("*.py"))
        self.modules = [Module.read(root, file.relative_to(root).as_posix()) for file in files]
        self._functions: dict[str, Known] = {}
        self._methods: dict[str, list[Known]] = {}
        self._writing: dict[int, bool] = {}
        self.errors: set[str] = set()  # names of classes that are raised
        for module in self.modules:
            for place in module.places:
                self._index(module, place)

    def _index(self, module: Module, place: Place) -> None:
        if isinstance(place.node, ast.ClassDef):
            bases = {ast.unparse(base).rpartition(".")[2] for base in place.node.bases}
            if bases & (self.errors | {"Exception"}):
                self.errors.add(place.node.name)
        if isinstance(place.node, Function):
            known = Known(module, place.node)
            if isinstance(place.around[-1], ast.ClassDef):
                self._methods.setdefault(place.node.name, []).append(known)
            else:
                self._functions.setdefault(f"{module.name}.{place.node.name}", known)

    def called(self, module: Module, call: ast.Call, *, methods: bool = False) -> list[Known]:
        """The functions of the app that `call` calls; by their name alone where `methods`."""
        callee = call.func
        if isinstance(callee, ast.Name):
            full = module.imported.get(callee.id, f"{module.name}.{callee.id}")
            return [self._functions[full]] if full in self._functions else []
        if not isinstance(callee, ast.Attribute):
            return []
        if isinstance(callee.value, ast.Name) and callee.value.id in module.imported:
            full = f"{module.imported[callee.value.id]}.{callee.attr}"
            return [self._functions[full]] if full in self._functions else []
        return self._methods.get(callee.attr, []) if methods else []

    def is_function(self, module: Module, name: ast.expr) -> bool:
        return isinstance(name, ast.Name) and f"{module.name}.{name.id}" in self._functions

    def writes(self, module: Module, node: ast.AST) -> bool:
        """Whether something is written below `node`, in functions that it calls, too."""
        for call in (found for found in ast.walk(node) if isinstance(found, ast.Call)):
            name = ast.unparse(call.func)
            owner, _, last = name.rpartition(".")
            if last in _WRITES or owner == "writes" or last in _WRITING_METHODS:
                return True
            for known in self.called(module, call):
                if self._function_writes(known):
                    return True
        return False

    def _function_writes(self, known: Known) -> bool:
        key = id(known.node)
        if key not in self._writing:
            self._writing[key] = False  # while it is looked at: a function may call itself
            self._writing[key] = self.writes(known.module, known.node)
        return self._writing[key]

    def raises(self, function: str) -> set[tuple[str, int]]:
        """(path, line) of the raises in a function, by its full name."""
        known = self._functions[function]
        raising = [node for node in ast.walk(known.node) if isinstance(node, ast.Raise)]
        return {(known.module.path, node.lineno) for node in raising}

    def refusing_lines(
        self, module: Module, call: ast.Call, depth: int = 0
    ) -> set[tuple[str, int]]:
        """(path, line) where what `call` calls refuses, when that is all it does; else empty."""
        if depth == CHECKS_DEPTH_MAX:
            return set()
        found = set()
        for known in self.called(module, call, methods=depth == 0):
            if self._function_writes(known):
                return set()
            handled = [n for n in ast.walk(known.node) if isinstance(n, ast.ExceptHandler)]
            in_handlers = {id(inner) for handler in handled for inner in ast.walk(handler)}
            for node in ast.walk(known.node):
                if isinstance(node, ast.Raise) and id(node) not in in_handlers:
                    found.add((known.module.path, node.lineno))
                elif isinstance(node, ast.Call):
                    found |= self.refusing_lines(known.module, node, depth + 1)
        return found
