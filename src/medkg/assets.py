"""Finds the RDF folders of this installation, in a wheel or in a checkout."""

from pathlib import Path
from typing import Literal

__all__ = ["checkout", "directory"]

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parents[1]

Folder = Literal["ontology", "shapes", "data"]


def directory(name: Folder) -> Path:
    """Return the folder of RDF files called *name* that belongs to this installation.

    :raises FileNotFoundError: when the installation is incomplete.
    """
    installed = _PACKAGE / name
    if installed.is_dir():
        return installed
    root = checkout()
    if root is not None and (root / name).is_dir():
        return root / name
    raise FileNotFoundError(f"this installation of medkg has no {name}/ folder: looked in {installed}")


def checkout() -> Path | None:
    """Return the root of the source checkout this package runs from, or None when it is installed."""
    return _CHECKOUT if (_CHECKOUT / "pyproject.toml").is_file() else None
