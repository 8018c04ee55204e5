"""What one node of a syntax tree may be changed into: the faults that are tried."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mmiocost.vocabulary import GENERATIONS

Change = tuple[str, ast.AST]
_GENERATIONS = tuple(item.id for item in GENERATIONS)
_OFF_BY_ONE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_BOTH_TERMS = (ast.Add, ast.Mult, ast.BitOr, ast.BitAnd)
_TEXT_KEYWORDS = {"note", "where", "function"}


def changes(node: ast.AST) -> Iterator[Change]:
    """What a node may be changed into, with the kind of fault."""
    for kind in type(node).__mro__:
        yield from _OPERATORS.get(kind, lambda _: ())(node)


def _constant(node: ast.Constant) -> Iterator[Change]:
    if isinstance(node.value, bool):
        yield "branch", ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield "constant", ast.Constant(node.value + 1)
        yield "constant", ast.Constant(node.value - 1)


def _term(node: ast.BinOp) -> Iterator[Change]:
    yield "term", node.left
    if isinstance(node.op, _BOTH_TERMS):
        yield "term", node.right
    elif isinstance(node.op, ast.Sub):
        yield "term", ast.UnaryOp(ast.USub(), node.right)


def _operand(node: ast.BoolOp) -> Iterator[Change]:
    for index in range(len(node.values)):
        left = node.values[:index] + node.values[index + 1 :]
        yield "branch", left[0] if len(left) == 1 else ast.BoolOp(node.op, left)


def _sign(node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not):
        yield "branch", node.operand
    elif isinstance(node.op, ast.USub):
        yield "term", node.operand


def _comparison(node: ast.Compare) -> Iterator[Change]:
    for index, op in enumerate(node.ops):
        ops = [*node.ops[:index], _OFF_BY_ONE[type(op)](), *node.ops[index + 1 :]]
        yield "comparison", ast.Compare(node.left, ops, node.comparators)
    (first, *_), (op, *_) = node.comparators, node.ops
    if isinstance(op, ast.In | ast.NotIn) and isinstance(first, ast.Tuple | ast.List | ast.Set) and len(node.ops) == 1:
        for index in range(len(first.elts)):
            fewer = copy.copy(first)
            fewer.elts = first.elts[:index] + first.elts[index + 1 :]
            yield "branch", ast.Compare(node.left, node.ops, [fewer])


def _negated(test: ast.expr) -> ast.expr:
    return (
        test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else ast.UnaryOp(ast.Not(), test)
    )


def _branches(node: Any) -> Iterator[Change]:
    """Condition negated, which swaps the branches."""
    changed = copy.copy(node)
    changed.test = _negated(node.test)
    yield "branch", changed


def _filter(node: ast.comprehension) -> Iterator[Change]:
    for index, test in enumerate(node.ifs):
        ifs = [*node.ifs[:index], _negated(test), *node.ifs[index + 1 :]]
        yield "branch", ast.comprehension(node.target, node.iter, ifs, node.is_async)


def _call(node: ast.Call) -> Iterator[Change]:
    if ast.unparse(node.func).endswith("since") and len(node.args) == 1 and isinstance(node.args[0], ast.Constant):
        place = _GENERATIONS.index(str(node.args[0].value))
        for other in (place - 1, place + 1):
            if 0 <= other < len(_GENERATIONS):
                yield "generation", ast.Call(node.func, [ast.Constant(_GENERATIONS[other])], [])
    for index, keyword in enumerate(node.keywords):
        if keyword.arg not in _TEXT_KEYWORDS:
            yield "term", ast.Call(node.func, node.args, node.keywords[:index] + node.keywords[index + 1 :])


def _dispatch(node: ast.Dict) -> Iterator[Change]:
    """Each value of a table replaced by the next one."""
    for index in range(len(node.values) if len(node.values) > 1 else 0):
        values = list(node.values)
        values[index] = values[(index + 1) % len(values)]
        yield "branch", ast.Dict(node.keys, values)


def _step(node: ast.stmt) -> Iterator[Change]:
    """A step left out: a call for its effect, a change of state, a jump."""
    yield "step", ast.Pass()


def _assigned(node: ast.Assign) -> Iterator[Change]:
    if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
        yield "step", ast.Pass()


_OPERATORS: Mapping[type[Any], Callable[[Any], Iterator[Change]]] = {
    ast.Constant: _constant,
    ast.BinOp: _term,
    ast.BoolOp: _operand,
    ast.UnaryOp: _sign,
    ast.Compare: _comparison,
    ast.IfExp: _branches,
    ast.If: _branches,
    ast.While: _branches,
    ast.comprehension: _filter,
    ast.Call: _call,
    ast.Dict: _dispatch,
    ast.Expr: _step,
    ast.AugAssign: _step,
    ast.Break: _step,
    ast.Continue: _step,
    ast.Assign: _assigned,
}
