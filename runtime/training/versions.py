"""The versions that a result depends on."""

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("specgen", "torch", "lightning", "numpy", "opencv-python-headless", "lmdb", "torchmetrics")


def installed_versions() -> dict[str, str]:
    """Python and the packages that numbers come from, by name."""
    versions = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions
