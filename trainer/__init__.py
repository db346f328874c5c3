"""Corpus to model folder: configuration, corpora, fine-tuning and scores. Knows no SQL, no Celery."""
