"""Text to spans: words, encoding, batching, the tagger and its checkpoints. Knows no SQL, no Celery, no Click."""
