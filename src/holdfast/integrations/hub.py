"""Sends a data set to the Hugging Face hub: the only place of Holdfast that uploads, and only when it is told to."""

from holdfast.core.errors import MachineError, MissingExtraError, UsageError
from holdfast.workflows.push import Parcel


def upload(parcel: Parcel, repo: str, *, private: bool = True) -> str:
    """Send the files of a parcel to the data set `repo` ("org/name") as one commit; return its address.

    The token is that of huggingface_hub (HF_TOKEN, or its login). A repository that is not there is made, private
    unless told otherwise. Raises `UsageError` where something speaks against the parcel, `MachineError` where the hub
    refuses.
    """
    if not parcel.ok:
        raise UsageError(f"Not sent: {'; '.join(parcel.problems)}.", "Mend it first.")
    try:
        import huggingface_hub  # noqa: PLC0415  # optional extra [hub]
    except ImportError as error:
        raise MissingExtraError("huggingface_hub", "hub") from error
    api = huggingface_hub.HfApi(library_name="holdfast")
    names = [name for name, _ in parcel.files]
    try:
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        sent = api.upload_folder(repo_id=repo, repo_type="dataset", folder_path=parcel.folder, allow_patterns=names)
    except (OSError, ValueError) as error:  # the hub's own errors are OSErrors, those of a malformed name ValueErrors
        raise MachineError(f"The hub refused {repo}: {error}.", "Check the name, HF_TOKEN and the network.") from error
    return str(sent.commit_url)
