"""The command line: python -m autograd EXPRESSION name=number ..., and python -m autograd demo."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from . import Graph, Value, __version__, draw
from .demo import demo, walkthrough
from .languages.expression import Expression, ExpressionError, nearest, normal, read
from .pictures.render import RenderError
from .stepping.steps import steps
from .support.tables import printable

PICTURES, PAGES = (".svg", ".png", ".pdf", ".dot"), (".html", ".gif")
DIRECTIONS = ("LR", "TB", "RL", "BT")
USAGE = """python -m autograd EXPRESSION [NAME=NUMBER ...] [-o FILE] [--steps] [--partials] [--direction LR]
       python -m autograd demo [--out DIR]"""
EXAMPLES = """examples:
  python -m autograd "1/(1+exp(-(w0*x0+w1*x1+w2)))" w0=2 x0=-1 w1=-3 x1=-2 w2=-3
  python -m autograd "relu(w*x + b)" w=0.5 x=-1.5 b=1e-3 --steps
  python -m autograd "x**2 * sin(y)" x=3 y=pi/4 -o graph.svg --partials
  python -m autograd "log(1 + exp(x))" x=2 -o steps.html
  python -m autograd -- "-x**2" x=3

An expression has numbers, names, + - * / % ** and brackets, pi, e, inf and nan, and every function of the package, such as exp, log,
sqrt, sin, tanh, sigmoid, relu, maximum, where, and of sequences: sum(a, b, c), max(a, b), dot([a, b], [c, d]). Put it in quotes."""


class UsageError(Exception):
    """The command line asks for something that cannot be done; says how to ask for what can."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        if "unrecognized" in message:
            message += ' (in front of an expression that begins with -- write another --, as in: -- "--x" x=1)'
        raise UsageError(f"{message}\n{self.prog} --help shows examples")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 2 if it was not understood, 1 if it failed, else 0."""
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        return demo(_demo_options(words[1:])) if words[:1] == ["demo"] else evaluate(_options(words))
    except (UsageError, ExpressionError) as error:
        print("\n".join(map(printable, f"error: {error}".split("\n"))), file=sys.stderr)
        return 2


def _demo_options(words: Sequence[str]) -> Path:
    parser = _Parser(prog="python -m autograd demo", description="Differentiate a neuron step by step, draw it, and train a network.")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("demo"), help="folder for the pictures (default: demo)")
    out: Path = parser.parse_args(words).out
    return out


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="python -m autograd",
        usage=USAGE,
        description="Differentiate an expression, and show how.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("words", nargs="*", metavar="EXPRESSION NAME=NUMBER", help="what to differentiate, and a number for each of its names")
    add("-o", "--output", metavar="FILE", action="append", default=[], help="write the graph (svg, png, pdf, dot) or its steps (html, gif)")
    add("--steps", action="store_true", help="print every step of the forward and the backward pass")
    add("--partials", action="store_true", help="show the local derivatives on the edges of the picture")
    add("--direction", type=str.upper, choices=DIRECTIONS, default="LR", help="which way the picture's forward pass runs (default: LR)")
    add("--version", action="version", version=__version__)
    return parser.parse_args(_options_first(words))


def _options_first(words: Sequence[str]) -> list[str]:
    """The words with options in front of "--", so that an expression may begin with a minus."""
    options: list[str] = []
    rest: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if word == "--":
            rest += remaining
        elif word in ("-o", "--output", "--direction"):
            value = next(remaining, None)
            options.append(word if value is None else f"{'--output' if word == '-o' else word}={value}")
        elif word == "-h" or re.match(r"--[a-z]", word):
            options.append(word)
        else:
            rest.append(word)
    return [*options, "--", *rest]


# Expressions -------------------------------------------------------------------------------------------------------------


def evaluate(options: argparse.Namespace) -> int:
    """An expression with its value and gradients as a table, and in whatever other form is asked for."""
    text, *words = options.words or [""]
    _check_endings(options.output)
    v = record(text, words)
    constant = v.op is None and not v.label
    if constant and (options.steps or options.output):
        raise UsageError("the expression has no names: there is nothing to differentiate and nothing to draw")
    print(f"{' '.join(text.split())} = {v.data!r}")
    if constant:
        return 0
    v.backward()
    print(f"\n{walkthrough(Graph(v))}")
    if options.steps:
        print(f"\n{steps(v).table()}")
    return max([_write(v, path, options) for path in options.output], default=0)


def record(text: str, words: Iterable[str]) -> Value:
    """The Value of an expression, with the numbers that name=number words give to its names."""
    if not text.strip():
        raise UsageError(f"an expression is missing\nusage: {USAGE}")
    if re.fullmatch(r"\s*\w+\s*=[^=]+", text):
        raise UsageError(f"the expression comes first, then a number for each of its names: before {text!r}")
    expression = Expression(text)
    given = _numbers(words)
    known = (*expression.names, *expression.constants)
    unknown = [name for name in given if name not in known]
    try:
        value: Value = expression.evaluate(given)
    except ExpressionError as error:
        missing = " ".join(f"{name}=1" for name in expression.names if name not in given)
        besides = f" (it has no {', '.join(unknown)})" if unknown else ""
        raise UsageError(f"{error}\nadd a number for each, such as: {missing}{besides}") from None
    if unknown:
        guess = nearest(unknown[0], known)
        hint = f"did you mean {guess}?" if guess else f"its names are {', '.join(known)}" if known else "it has none at all"
        raise UsageError(f"the expression has no name {unknown[0]}: {hint}")
    return value


def _numbers(words: Iterable[str]) -> dict[str, float]:
    given: dict[str, float] = {}
    for name, number in map(_binding, _joined(words)):
        if name in given:
            raise UsageError(f"{name} is given twice, as {given[name]:g} and as {number:g}: give it one number")
        given[name] = number
    return given


def _joined(words: Iterable[str]) -> Iterator[str]:
    """The words, with those put together again that spaces around = took apart."""
    pending = ""
    for word in words:
        continues = ("=" in word) != ("=" in pending) and (word.lstrip().startswith("=") or pending.rstrip().endswith("="))
        if pending and not continues:
            yield pending
            pending = ""
        pending += word
    if pending:
        yield pending


def _binding(word: str) -> tuple[str, float]:
    name, equals, number = (part.strip() for part in word.partition("="))
    name = normal(name)
    if not equals:
        raise UsageError(f"{word!r} is not name=number (an expression with spaces must be in quotes)")
    if not name.isidentifier():
        raise UsageError(f"{word!r}: {name!r} is not a name (write name=number)")
    if not number:
        raise UsageError(f"{word!r}: a number is missing behind = (such as {name}=1)")
    try:
        return name, float(number)
    except ValueError:
        pass
    try:
        return name, read(number, {}).data
    except ExpressionError:
        raise UsageError(f"{word!r}: {number!r} is not a number (such as 2, -0.5, 1e-3, 1/3 or pi/4)") from None


def _check_endings(paths: Iterable[str]) -> None:
    for path in paths:
        if os.path.splitext(path)[1].lower() not in PICTURES + PAGES:
            endings = f"{', '.join(PICTURES)} for the graph, or {', '.join(PAGES)} for its steps"
            raise UsageError(f"cannot write {path!r}: the name must end in {endings}")


def _write(v: Value, path: str, options: argparse.Namespace) -> int:
    try:
        if os.path.splitext(path)[1].lower() in PAGES:
            steps(v).save(path)
        else:
            draw(v, direction=options.direction, partials=options.partials).save(path)
    except (RenderError, OSError, ValueError, ImportError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        print(f"error: {printable(path)} was not written: {reason}", file=sys.stderr)
        return 1
    print(f"\nWritten: {printable(path)}")
    return 0


# The terminal ------------------------------------------------------------------------------------------------------------


def run() -> int:
    """`main` for a terminal: text that it cannot show is escaped, and a reader who stops early is no error to speak of."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it flushes at exit
        return 1
    return code


if __name__ == "__main__":
    sys.exit(run())
