"""The matrix: where and how the tests have to pass. `nox` runs all of it, `nox -l` lists it, `nox -s minimal` runs one session.

What follows -- goes to pytest: `nox -s tests-3.13 -- tests/test_value.py`. A Python that is not installed is left out.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
PROCESSORS = ["reversed", "pairwise", "blocks", "extended", "ulp"]
PYTEST = "python", "-m", "pytest"
OTHER_ENVIRONMENTS = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__")

nox.options.error_on_missing_interpreters = False


def run(session: nox.Session, *options: str, packages: tuple[str, ...] = ("-e", ".[test]"), env: dict[str, str] | None = None) -> None:
    session.install(*packages)
    session.run(*PYTEST, *options, *session.posargs, env=env)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """On every Python."""
    run(session)


@nox.session
def minimal(session: nox.Session) -> None:
    """Without extras: what needs one is skipped by its name, and the rest does without."""
    run(session, "-rs", packages=("-e", ".", "hypothesis", "pytest"))


@nox.session
def one_process(session: nox.Session) -> None:
    """One test after the other, as they are written."""
    run(session, "-n0")


@nox.session
def any_order(session: nox.Session) -> None:
    """Modules, classes and tests shuffled; `-- -p randomly -p "no:xdist" -p randomly_seed=N` is how a failure comes back."""
    run(session, packages=("-e", ".[test]", "pytest-randomly"))


@nox.session
@nox.parametrize("name", PROCESSORS)
def processor(session: nox.Session, name: str) -> None:
    """On other processors, imitated by tests/processors.py."""
    run(session, f"--processor={name}")


@nox.session
@nox.parametrize("count", ["1", "2"])
def threads(session: nox.Session, count: str) -> None:
    """With so many threads for BLAS, which adds up accordingly."""
    run(session, env={"OMP_NUM_THREADS": count})


@nox.session
def plain_locale(session: nox.Session) -> None:
    """Where text is ASCII unless it is said what it is."""
    run(session, env={"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"})


@nox.session
def odd_path(session: nox.Session) -> None:
    """In a folder whose name has blanks and letters beyond ASCII."""
    session.chdir(copied(session, "ein Ordner, où l'on écrit «ß» 数"))
    run(session)


@nox.session
def read_only(session: nox.Session) -> None:
    """As a user who may not write to the tree. Run as root, it becomes nobody; else the copy is made read-only."""
    tree, home = copied(session, "tree"), session.create_tmp()
    session.install(f"{tree}[test]")  # not -e: the user need not see where the project lies
    for path in [tree, *tree.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    shutil.chown(home, "nobody") if os.getuid() == 0 else None
    become = ("setpriv", "--reuid=nobody", "--clear-groups", "--regid=nogroup") if os.getuid() == 0 else ()
    session.chdir(tree)
    session.run(*become, *PYTEST, *session.posargs, env={"HOME": home}, external=True)


def copied(session: nox.Session, name: str) -> Path:
    """A copy of the project, in a folder of that name."""
    folder = Path(session.create_tmp()) / name
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(Path.cwd(), folder, ignore=OTHER_ENVIRONMENTS))


@nox.session
def lint(session: nox.Session) -> None:
    session.install("-e", ".", "ruff>=0.6")
    session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    session.install("-e", ".[test]", "mypy>=1.11")
    session.run("mypy")
