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
def thorough(session: nox.Session) -> None:
    """A thousand examples of each property, where a test does not say otherwise."""
    run(session, "--hypothesis-profile=thorough")


@nox.session
def any_order(session: nox.Session) -> None:
    """Modules, classes and tests shuffled; `-- -n0 --randomly-seed=N` brings a failure back."""
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
    """With no word of UTF-8 in the environment."""
    run(session, env={"LC_ALL": "C"})


@nox.session
def odd_path(session: nox.Session) -> None:
    """In a folder whose name has blanks, quotes and letters beyond ASCII."""
    session.chdir(copied(session, "ein Ordner, où l'on écrit «ß» 数"))
    run(session)


@nox.session
def read_only(session: nox.Session) -> None:
    """Without the right to write to the tree, which root has to give up first."""
    tree = copied(session, "tree")
    session.chdir(tree)
    session.install(".[test]")
    allow_writing(tree, False)
    powerless = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.getuid() == 0 else ()
    session.run(*powerless, *PYTEST, *session.posargs, external=True)


def copied(session: nox.Session, name: str) -> Path:
    """A copy of the project, in a folder of that name."""
    folder = Path(session.create_tmp()).resolve() / name
    if folder.exists():
        allow_writing(folder, True)
        shutil.rmtree(folder)
    return Path(shutil.copytree(Path.cwd(), folder, ignore=shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__")))


def allow_writing(folder: Path, allowed: bool) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & 0o555 | 0o200 * allowed)


@nox.session
def lint(session: nox.Session) -> None:
    session.install("-e", ".", "ruff>=0.6")
    session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy over the package, and over what a user's script has to know."""
    session.install("-e", ".[test]", "mypy>=1.11")
    session.run("mypy")
    session.run(*PYTEST, "tests/typing")


@nox.session
def pyright(session: nox.Session) -> None:
    """The other checker, in strict mode over the same script; and whether all that is public has a type."""
    session.install("-e", ".[numpy]", "pyright[nodejs]", "matplotlib")
    session.run("pyright", "-p", "tests/typing")
    site = session.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", silent=True)
    for package in ("autograd", "nn"):  # --verifytypes does not follow an editable install
        shutil.copytree(package, Path(str(site).strip()) / package, dirs_exist_ok=True)
    session.chdir(session.create_tmp())
    session.run("pyright", "--verifytypes", "nn", "--ignoreexternal")


@nox.session(default=False)
def stubs(session: nox.Session) -> None:
    """Writes what editors read of the primitives, from their table."""
    session.install("-e", ".")
    session.run("python", "docs/stubs.py")


@nox.session(default=False)
def pictures(session: nox.Session) -> None:
    """Draws the pictures of the README and runs the notebooks again."""
    session.install("-e", ".[test,draw,plot,gif,progress]")
    session.run("python", "docs/regenerate.py")
    session.run("python", "notebooks/regenerate.py")


@nox.session(default=False)
@nox.parametrize("name", ["eager", "compiled"])
def benchmark(session: nox.Session, name: str) -> None:
    """Side by side with the peers, which are installed here and nowhere else."""
    session.install("torch", "--index-url", "https://download.pytorch.org/whl/cpu")
    session.install("-e", ".[numpy]", "micrograd", "xad", "jax", "casadi", "numba", "matplotlib")
    session.run("python", f"benchmarks/{name}.py")
