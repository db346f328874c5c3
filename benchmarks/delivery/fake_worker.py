"""The worker that is disturbed: the product's own, but for a slow tagger with markers and, at times, a short lease.

`celery -A benchmarks.delivery.fake_worker worker`. The spawned child imports what `app.conf.imports` names, and so this
module, before any task; what a task then finds at `worker.active_model` are the functions below.
"""

import os

from worker import lease

if os.environ.get("CHAOS_LEASE"):
    lease.LEASE = float(os.environ["CHAOS_LEASE"])  # before the tasks import it

from benchmarks.delivery.fake_tagger import DisturbedTagger, FakeTagger
from benchmarks.delivery.replaced import real_active_model, replace_active_model
from db.session import Database
from settings import Settings
from worker.app import app
from worker.reading import Tags

_USES_REAL_MODEL = bool(os.environ.get("CHAOS_REAL_MODEL"))
_IS_INSTANT = bool(os.environ.get("CHAOS_INSTANT"))


def tagger_for(database: Database, version_id: int, settings: Settings) -> Tags:
    """Return the tagger of a version."""
    tagger = (
        real_active_model().tagger_for(database, version_id, settings) if _USES_REAL_MODEL else FakeTagger(version_id)
    )
    return tagger if _IS_INSTANT else DisturbedTagger(tagger, lease.LEASE)


replace_active_model(tagger_for)
app.conf.imports = [__name__]
