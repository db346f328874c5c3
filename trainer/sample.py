"""Where the sample data lies. Standard library only."""

from pathlib import Path


def sample_folder() -> Path:
    """Return the folder of the sample data: data/sample in the repository, beside this module once installed."""
    here = Path(__file__).resolve().parent
    installed = here / "sample_data"
    return installed if installed.is_dir() else here.parent / "data" / "sample"
