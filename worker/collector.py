"""The garbage collector of a process that tags: it looks seldom, and never at what stays.

Nearly all that a batch leaves behind is freed without it. A model with its libraries is half a million objects, which
every full collection would visit; and the thousands of spans and rows of a batch set one off again and again, which
took a third of the time that storing computes.
"""

import gc

_OFTEN_ENOUGH = 10_000  # objects more than before, some 1 MB; Python's own limit is 700


def settle() -> None:
    """Leave what is loaded now out of all collections to come, and have these come seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OFTEN_ENOUGH)


def release() -> None:
    """Let what was loaded be collected: it is about to be replaced."""
    gc.unfreeze()
