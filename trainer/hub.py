"""The model and dataset hub: asked early and briefly, so that a machine without one learns it within seconds."""

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

from tagging.errors import HubUnreachableError

_PATIENCE = 5.0  # seconds for one answer
_WITHOUT_HUB = "Without a hub use --dataset sample (or --train-file FILE) and --base-model starter (or a folder)."


def require_hub(name: str, kind: str) -> None:
    """Check that the hub answers and has this `kind` ("model" or "dataset"). Raises HubUnreachableError if not."""
    try:
        HfApi().repo_info(name, repo_type=kind, timeout=_PATIENCE)
    except GatedRepoError as error:
        raise HubUnreachableError(f"the {kind} {name!r} is gated; accept its terms and run `hf auth login`") from error
    except RepositoryNotFoundError as error:
        raise HubUnreachableError(f"the hub has no public {kind} {name!r}; check the name. {_WITHOUT_HUB}") from error
    except Exception as error:  # whatever the HTTP library raises: no route, no name, no certificate, time-out
        raise HubUnreachableError(f"cannot reach the hub for the {kind} {name!r} ({error}). {_WITHOUT_HUB}") from error


def is_cached(model: str) -> bool:
    """Tell whether a model of the hub lies in the local cache, so that no hub is needed."""
    try:
        snapshot_download(model, local_files_only=True)
    except (LocalEntryNotFoundError, ValueError):
        return False
    return True
