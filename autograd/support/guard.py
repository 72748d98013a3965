"""What is seen to before anything else is imported.

`python -m autograd` would run what lies in the current folder for modules of the library. And HIPS's package `autograd` on PyPI has our
import name: two packages cannot share one; say so before anything confusing happens.
"""

import os
import sys

REMEDY = (
    "Keep one of them in an environment. To use this package:\n"
    "    pip uninstall autograd scalar-autograd && pip install scalar-autograd\n"
    "To use both, give each a virtual environment of its own."
)
_FOREIGN = ("tracer.py", "wrap_util.py")  # files that only HIPS's package has


def leave_current_folder() -> None:
    """Import nothing from the current folder, which Python puts first for `python -m`: a random.py there would be run for the library's.

    Done for `python -m autograd` alone; who imports the package from elsewhere has chosen where from. While Python looks for the module
    that -m names, that is in the place of the program's name.
    """
    is_command = sys.argv[:1] == ["-m"] and sys.orig_argv[-len(sys.argv)].removeprefix("-m") in ("autograd", "autograd.__main__")
    if is_command and os.path.realpath(sys.path[0]) == os.getcwd():
        del sys.path[0]


def check() -> None:
    """Raise if HIPS's files lie among ours, warn if its package lies elsewhere on the path, hidden by ours."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if _is_foreign(here):
        raise ImportError(
            f"the folder {here} holds the files of two packages: scalar-autograd and HIPS's autograd, which use the same import "
            f"name, so that one has overwritten parts of the other. {REMEDY}"
        )
    for entry in sys.path:
        folder = os.path.join(entry or os.curdir, "autograd")
        if _is_foreign(folder):
            import warnings

            warnings.warn(
                f"HIPS's package autograd is installed too, in {folder}. It has the same import name as scalar-autograd and is hidden "
                f"by it: code that needs it will fail. {REMEDY}",
                stacklevel=3,
            )


def _is_foreign(folder: str) -> bool:
    return all(os.path.isfile(os.path.join(folder, name)) for name in _FOREIGN)
