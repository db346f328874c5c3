"""Everything Celery and Redis: enqueueing, dispatch, and the workers that claim, tag and store batches."""
