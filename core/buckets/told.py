"""What a client of object stores says of a failure, in our words and without what must stay secret."""

from __future__ import annotations

import os
import re

from tonesmith.terminal.text import one_line

_SECRETS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_CLIENT_SECRET",
    "AZURE_STORAGE_SAS_TOKEN",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
)
_STATUS = re.compile(r"status code: (\d{3}[A-Za-z ]*)")
_HOST = re.compile(r"https?://[^/\s?]+")


def is_missing_bucket(error: Exception) -> bool:
    """Return whether an error of a listing tells that the bucket is not there: of a folder, none is told."""
    text = str(error)
    return isinstance(error, FileNotFoundError) or "NoSuchBucket" in text or "ContainerNotFound" in text


def is_denied(error: Exception) -> bool:
    """Return whether an error tells that the credentials do not allow what was asked for."""
    named = type(error).__name__ in {"PermissionDeniedError", "UnauthenticatedError"}
    return named or ((match := _STATUS.search(str(error))) is not None and match[1][:3] in {"401", "403"})


def is_unanswered(error: Exception) -> bool:
    """Return whether nobody answered, for which the client has waited more than once."""
    return any(word in str(error) for word in ("ConnectError", "TimedOut", "169.254.169.254"))


def told(place: str, error: Exception) -> str:
    """Return a sentence or two: what went wrong with a bucket, and what to do.

    Args:
        place: address of the bucket.
        error: of the client.
    """
    text = str(error)
    host = match[0] if (match := _HOST.search(text)) else place
    if "169.254.169.254" in text:
        return (
            f"{place} cannot be opened: no credentials were found. Set them in the environment, such as "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile in AWS_PROFILE."
        )
    if "dns error" in text:
        return f"{place} cannot be reached: the host of {host} is unknown. Check the network and AWS_ENDPOINT_URL."
    if "ConnectError" in text:
        return f"{place} cannot be reached: nothing answers at {host}. Check the network and AWS_ENDPOINT_URL."
    if "TimedOut" in text:
        return f"{place} cannot be reached: {host} does not answer in time. Check the network and AWS_ENDPOINT_URL."
    why = f"it answered {match[1].strip()}" if (match := _STATUS.search(text)) else scrubbed(error)
    return f"{place} keeps failing: {why}. What is stored is as it was; run the same command to go on."


def scrubbed(error: Exception) -> str:
    """Return the text of an error on one line, without what the environment keeps secret."""
    text = str(error).partition("Debug source")[0]
    for secret in filter(None, map(os.environ.get, _SECRETS)):
        text = text.replace(secret, "...")
    return one_line(text, 240).rstrip(".")
