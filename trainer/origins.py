"""What is known of the base models and corpora that a version may come from: name, licence, language, citation."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from trainer.base_model import STARTER
from trainer.corpus import BROAD_TWITTER_CORPUS, SAMPLE

_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")


@dataclass(frozen=True)
class Origin:
    """A base model or a corpus; None where something is not known. `hub_id` is None for files of one's own."""

    name: str
    hub_id: str | None = None
    licence: str | None = None
    language: str | None = None
    citation: str | None = None


_MINILM = "sentence-transformers/all-MiniLM-L6-v2"
_BASE_MODELS = {
    STARTER: Origin(_MINILM, _MINILM, "apache-2.0"),
    **{name: Origin(name, name, "apache-2.0") for name in (_MINILM, "bert-base-cased", "bert-base-uncased")},
}
_CORPORA = {
    SAMPLE: Origin("the sample corpus of tweetspan", None, "cc0-1.0", "en"),
    BROAD_TWITTER_CORPUS: Origin(
        "the Broad Twitter Corpus",
        BROAD_TWITTER_CORPUS,
        "cc-by-4.0",
        "en",
        "Cite: Leon Derczynski, Kalina Bontcheva and Ian Roberts, Broad Twitter Corpus: A Diverse Named Entity "
        "Recognition Resource, COLING 2016.",
    ),
}


def base_model_origin(name: str) -> Origin:
    """Return what is known of a base model. A folder is told by its last part alone: its path is nobody's business."""
    return _BASE_MODELS.get(name) or _unknown(name)


def corpus_origin(name: str) -> Origin:
    """Return what is known of a corpus, by the name that was registered."""
    return _CORPORA.get(name) or _unknown(name)


def _unknown(name: str) -> Origin:
    is_hub_id = bool(_HUB_ID.fullmatch(name)) and "/" in name
    return Origin(name, name) if is_hub_id else Origin(PurePath(name).name)
