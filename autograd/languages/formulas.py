"""Formulas: how each primitive is written with SymPy, in LaTeX, in Python and with NumPy, one row each.

To make a new primitive exportable, add a row. Levels and templates, see `forms.py`, decide about brackets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from .. import ops
from ..ops.op import Op
from .forms import ATOM, BARE, POWER, PRODUCT, SIGNED, SUM, TEX, Form, Term


class Formula(NamedTuple):
    """How an op is written in each language.

    Attributes:
        sympy: a function of the module sympy and the operands.
        latex: its form in LaTeX.
        numpy: with NumPy: a form, or the name of a function. A function of a sequence has it along the last axis of <0>.
        python: in Python, where operators do what the op does; None where they would raise. Then the kernel of the op is called.
        quotient: whether the form of `numpy` serves Python, too, if the last operand is a constant but 0.
    """

    sympy: Callable[..., Any]
    latex: Form
    numpy: Form | str
    python: Form | None = None
    quotient: bool = False


# LaTeX -------------------------------------------------------------------------------------------------------------------

def _calls(name: str) -> Form:
    """A function of the operands in brackets."""
    return Form(ATOM, lambda x: rf"{name}\left({', '.join(t.text for t in x)}\right)")


def _operator(name: str) -> Form:
    return _calls(rf"\operatorname{{{name}}}")


def _latex_sum(x: Sequence[Term]) -> str:
    terms = [t.within(SUM, TEX) for t in x]
    return terms[0] + "".join(f" - {t[1:]}" if t.startswith("-") else f" + {t}" for t in terms[1:]) if terms else "0"


def _latex_product(x: Sequence[Term]) -> str:
    factors = [t.within(PRODUCT if i else SIGNED, TEX) for i, t in enumerate(x)]
    return factors[0] + "".join(rf" \cdot {t}" if t[0].isdigit() else rf" \, {t}" for t in factors[1:]) if factors else "1"


def _exponentials(x: Sequence[Term]) -> str:
    return " + ".join(f"e^{{{t.text}}}" for t in x) or "0"


def _latex_dot(x: Sequence[Term]) -> str:
    half = len(x) // 2
    return _latex_sum([Term(_latex_product(pair), PRODUCT) for pair in zip(x[:half], x[half:], strict=True)])


def _latex_where(x: Sequence[Term]) -> str:
    condition = x[0].text
    is_relation = x[0].level == ATOM and condition.startswith(r"\left[")
    condition = condition[len(r"\left[") : -len(r"\right]")] if is_relation else rf"{condition} \neq 0"
    return rf"\begin{{cases}} {x[1].text} & \text{{if }} {condition} \\ {x[2].text} & \text{{otherwise}} \end{{cases}}"


def _latex_swish(x: Sequence[Term]) -> str:
    inner = x[0].text if x[1].text == "1" else _latex_product([x[1], x[0]])
    return rf"{x[0].within(PRODUCT, TEX)} \, \sigma\left({inner}\right)"


def _latex_exp_neg_square(x: Sequence[Term]) -> str:
    square = f"{x[0].within(ATOM, TEX)}^{{2}}"
    return f"e^{{-{square if x[1].text == '1' else _latex_product([x[1], Term(square, POWER)])}}}"


def _squares(x: Sequence[Term]) -> str:
    return " + ".join(f"{t.within(ATOM, TEX)}^{{2}}" for t in x) or "0"


# SymPy -------------------------------------------------------------------------------------------------------------------


def _named(name: str) -> Callable[..., Any]:
    """A function of SymPy's. Of symbols it is left as it is: at every level its simplifications look at all that is below."""
    return lambda s, *x: getattr(s, name)(*x, evaluate=all(v.is_number for v in x))


_exp, _log, _abs, _sign, _floor = (_named(name) for name in ("exp", "log", "Abs", "sign", "floor"))
_largest, _smallest, _erfc, _gamma = (_named(name) for name in ("Max", "Min", "erfc", "gamma"))
_greater, _greater_equal, _not_equal = (_named(name) for name in ("Gt", "Ge", "Ne"))


def _power(s: Any, a: Any, b: Any) -> Any:
    return s.Pow(a, b, evaluate=a.is_number)


def _over(s: Any, a: Any, b: Any) -> Any:
    return a * _power(s, b, s.Integer(-1))


def _root(s: Any, x: Any) -> Any:
    return _power(s, x, s.Rational(1, 2))


def _either(s: Any, condition: Any, x: Any, y: Any) -> Any:
    return s.Piecewise((x, condition), (y, True), evaluate=condition in (True, False))


def _indicator(relation: str) -> Callable[..., Any]:
    return lambda s, a, b: _either(s, _named(relation)(s, a, b), s.Integer(1), s.Integer(0))


@cache
def _constant(s: Any) -> Any:
    """The function of SymPy's that is x with derivative 0. Of a number it is the number."""
    rules = {"eval": classmethod(lambda cls, x: x if x.is_number else None), "fdiff": lambda self, i=1: s.S.Zero}
    return type("stop_gradient", (s.Function,), rules)


def _where(s: Any, c: Any, x: Any, y: Any) -> Any:
    is_indicator = isinstance(c, s.Piecewise) and [value for value, _ in c.args] == [1, 0]
    return _either(s, c.args[0][1] if is_indicator else _not_equal(s, c, s.Integer(0)), x, y)


def _trunc(s: Any, x: Any) -> Any:
    return _sign(s, x) * _floor(s, _abs(s, x))


def _sum_of(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda s, *x: s.Add(*(f(s, v) for v in x))


def _logistic(s: Any, x: Any) -> Any:
    return _power(s, 1 + _exp(s, -x), s.Integer(-1))


_sum_of_exps = _sum_of(_exp)
_sum_of_squares = _sum_of(lambda s, x: _power(s, x, s.Integer(2)))


# Python ------------------------------------------------------------------------------------------------------------------

_PLUS, _MINUS = Form(SUM, "<0+> + <1*>"), Form(SUM, "<0+> - <1*>")
_TIMES, _NEGATIVE = Form(PRODUCT, "<0*> * <1/>"), Form(SIGNED, "-<0*>")
_SQUARE = Form(PRODUCT, "<0^> * <0^>")


def _relation(python: str, latex: str, sympy: str) -> Formula:
    return Formula(
        _indicator(sympy),
        Form(ATOM, rf"\left[<0+> {latex} <1+>\right]"),
        Form(ATOM, f"np.where(<0+> {python} <1+>, 1.0, 0.0)"),
        Form(ATOM, f"float(<0+> {python} <1+>)"),
    )


_name = ops.table  # name -> Op
FORMULAS: Final[dict[Op, Formula]] = {
    # Arithmetic
    ops.add: Formula(lambda s, a, b: a + b, Form(SUM, _latex_sum), _PLUS, _PLUS),
    ops.subtract: Formula(lambda s, a, b: a - b, Form(SUM, "<0+> - <1*>"), _MINUS, _MINUS),
    ops.multiply: Formula(lambda s, a, b: a * b, Form(PRODUCT, _latex_product), _TIMES, _TIMES),
    ops.divide: Formula(_over, Form(PRODUCT, r"\frac{<0>}{<1>}"), Form(PRODUCT, "<0*> / <1/>"), quotient=True),
    ops.negative: Formula(lambda s, x: -x, Form(SIGNED, "-<0*>"), _NEGATIVE, _NEGATIVE),
    ops.positive: Formula(lambda s, x: x, Form(PRODUCT, "<0*>"), Form(SIGNED, "+<0*>"), Form(SIGNED, "+<0*>")),
    ops.power: Formula(_power, Form(POWER, "<0^>^{<1>}"), Form(POWER, "<0^> ** <1^>")),
    ops.reciprocal: Formula(lambda s, x: _power(s, x, s.Integer(-1)), Form(PRODUCT, r"\frac{1}{<0>}"), Form(PRODUCT, "1.0 / <0/>")),
    ops.mod: Formula(_named("Mod"), Form(BARE, r"<0*> \;\mathrm{mod}\; <1^>"), Form(SUM, "<0*> % <1/>"), quotient=True),
    ops.fmod: Formula(lambda s, a, b: a - b * _trunc(s, _over(s, a, b)), _operator("fmod"), "np.fmod"),
    ops.abs: Formula(_abs, Form(ATOM, r"\left|<0>\right|"), "np.abs", Form(ATOM, "abs(<0>)")),
    ops.sign: Formula(_sign, _operator("sgn"), "np.sign"),
    ops.square: Formula(lambda s, x: _power(s, x, s.Integer(2)), Form(POWER, "<0^>^{2}"), _SQUARE, _SQUARE),
    ops.sqrt: Formula(_root, Form(ATOM, r"\sqrt{<0>}"), "np.sqrt"),
    ops.cbrt: Formula(lambda s, x: _sign(s, x) * _power(s, _abs(s, x), s.Rational(1, 3)), Form(ATOM, r"\sqrt[3]{<0>}"), "np.cbrt"),
    # Exponentials and logarithms
    ops.exp: Formula(_exp, Form(POWER, "e^{<0>}"), "np.exp"),
    ops.exp2: Formula(lambda s, x: _power(s, s.Integer(2), x), Form(POWER, "2^{<0>}"), "np.exp2"),
    ops.expm1: Formula(lambda s, x: _exp(s, x) - 1, Form(SUM, "e^{<0>} - 1"), "np.expm1"),
    ops.log: Formula(_log, _calls(r"\log"), "np.log"),
    ops.log2: Formula(lambda s, x: _log(s, x) / s.log(2), _calls(r"\log_{2}"), "np.log2"),
    ops.log10: Formula(lambda s, x: _log(s, x) / s.log(10), _calls(r"\log_{10}"), "np.log10"),
    ops.log1p: Formula(lambda s, x: _log(s, 1 + x), Form(ATOM, lambda x: rf"\log\left({_latex_sum([Term('1'), *x])}\right)"), "np.log1p"),
    ops.logaddexp: Formula(
        lambda s, *x: _log(s, _sum_of_exps(s, *x)), Form(ATOM, lambda x: rf"\log\left({_exponentials(x)}\right)"), "np.logaddexp"
    ),
    # Circular and hyperbolic functions
    ops.sin: Formula(_named("sin"), _calls(r"\sin"), "np.sin"),
    ops.cos: Formula(_named("cos"), _calls(r"\cos"), "np.cos"),
    ops.tan: Formula(_named("tan"), _calls(r"\tan"), "np.tan"),
    ops.arcsin: Formula(_named("asin"), _calls(r"\arcsin"), "np.arcsin"),
    ops.arccos: Formula(_named("acos"), _calls(r"\arccos"), "np.arccos"),
    ops.arctan: Formula(_named("atan"), _calls(r"\arctan"), "np.arctan"),
    ops.arctan2: Formula(_named("atan2"), _operator("arctan2"), "np.arctan2"),
    ops.sinh: Formula(_named("sinh"), _calls(r"\sinh"), "np.sinh"),
    ops.cosh: Formula(_named("cosh"), _calls(r"\cosh"), "np.cosh"),
    ops.tanh: Formula(_named("tanh"), _calls(r"\tanh"), "np.tanh"),
    ops.arcsinh: Formula(_named("asinh"), _operator("arsinh"), "np.arcsinh"),
    ops.arccosh: Formula(_named("acosh"), _operator("arcosh"), "np.arccosh"),
    ops.arctanh: Formula(_named("atanh"), _operator("artanh"), "np.arctanh"),
    ops.hypot: Formula(lambda s, *x: _root(s, _sum_of_squares(s, *x)), Form(ATOM, lambda x: rf"\sqrt{{{_squares(x)}}}"), "hypot"),
    # Special functions
    ops.erf: Formula(_named("erf"), _operator("erf"), "erf"),
    ops.erfc: Formula(_erfc, _operator("erfc"), "erfc"),
    ops.lgamma: Formula(lambda s, x: _log(s, _abs(s, _gamma(s, x))), Form(ATOM, r"\log\left|\Gamma\left(<0>\right)\right|"), "lgammas"),
    ops.polygamma: Formula(_named("polygamma"), Form(ATOM, r"\psi^{\left(<0>\right)}\left(<1>\right)"), "polygammas"),
    # Rounding and comparison
    ops.floor: Formula(_floor, Form(ATOM, r"\left\lfloor <0>\right\rfloor"), "np.floor"),
    ops.ceil: Formula(_named("ceiling"), Form(ATOM, r"\left\lceil <0>\right\rceil"), "np.ceil"),
    ops.trunc: Formula(_trunc, _operator("trunc"), "np.trunc"),
    ops.step: Formula(
        lambda s, x: _either(s, _greater_equal(s, x, s.Integer(0)), s.Integer(1), s.Integer(0)),
        Form(ATOM, r"\left[<0+> \geq 0\right]"),
        Form(ATOM, "np.heaviside(<0>, 1.0)"),
    ),
    ops.greater: _relation(">", ">", "Gt"),
    ops.greater_equal: _relation(">=", r"\geq", "Ge"),
    ops.less: _relation("<", "<", "Lt"),
    ops.less_equal: _relation("<=", r"\leq", "Le"),
    ops.equal: _relation("==", "=", "Eq"),
    ops.not_equal: _relation("!=", r"\neq", "Ne"),
    # Selection
    ops.maximum: Formula(_largest, _calls(r"\max"), "np.maximum"),
    ops.minimum: Formula(_smallest, _calls(r"\min"), "np.minimum"),
    ops.clip: Formula(
        lambda s, x, low, high: _smallest(s, _largest(s, x, low), high),
        Form(ATOM, r"\min\left(\max\left(<0>, <1>\right), <2>\right)"),
        Form(ATOM, "np.minimum(np.maximum(<0>, <1>), <2>)"),
    ),
    ops.where: Formula(_where, Form(BARE, _latex_where), Form(ATOM, "np.where(<0+> != 0.0, <1>, <2>)")),
    ops.stop_gradient: Formula(lambda s, x: _constant(s)(x), _operator("stop"), "stop_gradient"),
    # Activations
    ops.sigmoid: Formula(_logistic, _calls(r"\sigma"), "sigmoid"),
    ops.log_sigmoid: Formula(
        lambda s, x: -_log(s, 1 + _exp(s, -x)), Form(ATOM, r"\log\sigma\left(<0>\right)"), Form(SIGNED, "-np.logaddexp(0.0, -<0*>)")
    ),
    ops.softplus: Formula(
        lambda s, x: _log(s, 1 + _exp(s, x)), Form(ATOM, r"\log\left(1 + e^{<0>}\right)"), Form(ATOM, "np.logaddexp(0.0, <0>)")
    ),
    ops.relu: Formula(lambda s, x: _largest(s, s.Integer(0), x), Form(ATOM, r"\max\left(0, <0>\right)"), "relu"),
    ops.leaky_relu: Formula(
        lambda s, x, slope: _either(s, _greater(s, x, s.Integer(0)), x, slope * x),
        Form(SUM, r"\max\left(0, <0>\right) + <1*> \, \min\left(0, <0>\right)"),
        "leaky_relu",
    ),
    ops.elu: Formula(
        lambda s, x, alpha: _either(s, _greater(s, x, s.Integer(0)), x, alpha * (_exp(s, x) - 1)),
        Form(SUM, r"\max\left(0, <0>\right) + <1*> \, \left(e^{\min\left(0, <0>\right)} - 1\right)"),
        "elu",
    ),
    ops.swish: Formula(lambda s, x, beta: x * _logistic(s, beta * x), Form(PRODUCT, _latex_swish), "swish"),
    ops.gelu: Formula(lambda s, x: x * _erfc(s, -x / s.sqrt(2)) / 2, Form(PRODUCT, r"<0*> \, \Phi\left(<0>\right)"), "gelu"),
    ops.hardtanh: Formula(
        lambda s, x: _smallest(s, _largest(s, x, s.Integer(-1)), s.Integer(1)),
        Form(ATOM, r"\min\left(\max\left(<0>, -1\right), 1\right)"),
        "hardtanh",
    ),
    # Functions of a sequence
    ops.sum: Formula(lambda s, *x: s.Add(*x), Form(SUM, _latex_sum), Form(ATOM, "np.sum(<0>, axis=-1)")),
    ops.mean: Formula(
        lambda s, *x: s.Add(*x) / len(x),
        Form(PRODUCT, lambda x: rf"\frac{{{_latex_sum(x)}}}{{{len(x)}}}"),
        Form(ATOM, "np.mean(<0>, axis=-1)"),
    ),
    ops.prod: Formula(lambda s, *x: s.Mul(*x), Form(SIGNED, _latex_product), Form(ATOM, "np.prod(<0>, axis=-1)")),
    ops.max: Formula(_largest, _calls(r"\max"), Form(ATOM, "np.max(<0>, axis=-1)")),
    ops.min: Formula(_smallest, _calls(r"\min"), Form(ATOM, "np.min(<0>, axis=-1)")),
    ops.norm: Formula(lambda s, *x: _root(s, _sum_of_squares(s, *x)), Form(ATOM, lambda x: rf"\sqrt{{{_squares(x)}}}"), "norm"),
    ops.logsumexp: Formula(
        lambda s, *x: _log(s, _sum_of_exps(s, *x)), Form(ATOM, lambda x: rf"\log\left({_exponentials(x)}\right)"), "logsumexp"
    ),
    _name["dot"]: Formula(
        lambda s, *x: s.Add(*(a * b for a, b in zip(x[: len(x) // 2], x[len(x) // 2 :], strict=True))), Form(SUM, _latex_dot), "dot"
    ),
    _name["softmax"]: Formula(
        lambda s, *x: _over(s, _exp(s, x[0]), _sum_of_exps(s, *x)),
        Form(PRODUCT, lambda x: rf"\frac{{e^{{{x[0].text}}}}}{{{_exponentials(x)}}}"),
        "softmax",
    ),
    _name["log_softmax"]: Formula(
        lambda s, *x: x[0] - _log(s, _sum_of_exps(s, *x)),
        Form(SUM, lambda x: rf"{x[0].within(SUM, TEX)} - \log\left({_exponentials(x)}\right)"),
        "log_softmax",
    ),
    # What rules are made of
    _name["sigmoid_slope"]: Formula(lambda s, x: _logistic(s, x) * _logistic(s, -x), _calls(r"\sigma'"), "sigmoid_slope"),
    _name["sigmoid_difference"]: Formula(
        lambda s, a, b: _logistic(s, a - b), Form(ATOM, r"\sigma\left(<0+> - <1*>\right)"), "sigmoid_difference"
    ),
    _name["exp_difference"]: Formula(lambda s, a, b: _exp(s, a - b), Form(POWER, "e^{<0+> - <1*>}"), "exp_difference"),
    _name["direction_cosine"]: Formula(
        lambda s, a, b: _over(s, a, _root(s, _sum_of_squares(s, a, b))),
        Form(PRODUCT, lambda x: rf"\frac{{{x[0].text}}}{{\sqrt{{{_squares(x)}}}}}"),
        "direction_cosine",
    ),
    _name["exp_neg_square"]: Formula(
        lambda s, x, scale: _exp(s, -scale * _power(s, x, s.Integer(2))), Form(POWER, _latex_exp_neg_square), "exp_neg_square"
    ),
    _name["cohypot"]: Formula(
        lambda s, a, b: _root(s, _power(s, a, s.Integer(2)) - _power(s, b, s.Integer(2))),
        Form(ATOM, r"\sqrt{<0^>^{2} - <1^>^{2}}"),
        "cohypot",
    ),
}
