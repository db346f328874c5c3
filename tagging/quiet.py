"""Keep transformers from writing on our standard error."""

from transformers.utils import logging


def hush_transformers() -> None:
    """Silence its progress bars and load reports; its errors still show."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
