"""The API: the questions of the command line over HTTP, one file each noun, described by OpenAPI."""

from explorer.api import digest, edits, enqueue, entities, entity, models, tag, tweets, work

ROUTERS = (
    entities.router,
    entity.router,
    edits.router,
    tweets.router,
    digest.router,
    work.router,
    models.router,
    enqueue.router,
    tag.router,
)
TAGS = [
    {"name": "entities", "description": "What is mentioned, under the filters."},
    {"name": "one entity", "description": "What is known about one: by its name, an alias, or LABEL:name."},
    {"name": "tweets", "description": "Tweets by their words and entities."},
    {"name": "digests", "description": "What the tweets say, with the ids that each statement rests on."},
    {"name": "work", "description": "How the work stands: jobs, workers, failures."},
    {"name": "models", "description": "The registered versions."},
    {"name": "writing", "description": "For who has the token: enqueue, tag, merge, rename, hide, undo."},
    {"name": "pages", "description": "The twins of the pages, with what these show."},
]
