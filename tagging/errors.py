"""Every error that is meant for a user. The message names the value and the next step.

The command line prints them as ``Error: ...`` and exits with 1; any other exception is a bug and keeps its traceback.
"""

from collections.abc import Mapping


class TweetspanError(Exception):
    """Something a user can understand and mend."""


class SettingsError(TweetspanError):
    """A TWEETSPAN_* variable holds something that cannot be used."""


class ConfigError(TweetspanError):
    """A hyperparameter or option is out of its range."""


class CorpusError(TweetspanError):
    """A corpus cannot be read or does not hold what training needs."""


class HubUnreachableError(TweetspanError):
    """The model or dataset hub does not answer, or does not have the name."""


class EncoderError(TweetspanError):
    """A base model or its tokenizer cannot be used for tagging."""


class CheckpointError(TweetspanError):
    """A model folder is missing, damaged, or not the one that was registered."""


class ArtifactMissingError(CheckpointError):
    """Nothing can be read at a model's URI: it is not there, or access is refused."""


class OptimizeError(TweetspanError):
    """A model cannot be given a faster form, or the form costs too much F1."""


class DeviceError(TweetspanError):
    """The device or precision that was asked for is not there."""


class ModelVersionError(TweetspanError):
    """No such model version, or none is active."""


class WorseModelError(TweetspanError):
    """A version is significantly worse than the active one and would take its place."""


class DatabaseError(TweetspanError):
    """The database cannot be reached, or is on another revision than the code."""


class BrokerError(TweetspanError):
    """Redis cannot be reached or started."""


class TrainingRunningError(TweetspanError):
    """Another process trains the very same; two would write each other's checkpoints."""


class MessageError(TweetspanError):
    """A message on the queue is none of ours; it is logged and dropped."""


class TweetFileError(TweetspanError):
    """A file of tweets cannot be read at all."""


class BadTweetError(TweetspanError):
    """One row of a tweet file cannot be used; the rows around it can."""


class DemoError(TweetspanError):
    """The demo cannot use its folder, or one of its commands failed."""


class QueryError(TweetspanError):
    """A question names something that cannot be looked up."""


class UnknownError(QueryError):
    """A question names an entity or a tweet that is not there."""


class TooSlowError(TweetspanError):
    """A question took longer than it may."""


class BusyError(TweetspanError):
    """Too many heavy questions are being answered."""


class AccessError(TweetspanError):
    """Whoever asks may not do this, or has not said who they are."""


class ExportError(TweetspanError):
    """What is exported cannot be written."""


class JobError(TweetspanError):
    """No such job, or one that is cancelled or has ended."""


class PoisonTweetError(TweetspanError):
    """Some tweets cannot be tagged; they are marked dead and the rest of their batch is tagged."""

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__(f"{len(reasons)} texts cannot be tagged")
        self.reasons = reasons  # by position in the list of texts that was to be tagged


class UnfitProcessError(Exception):
    """This process can tag nothing any more, such as after an illegal memory access on its GPU."""
