"""Hosts: the columns of a gateway that become a part of one. Knows texts, and no settings.

Each refusal says why a text is none of its kind, or is an empty string.
"""

from __future__ import annotations

import re

#: A host's name in lower case. The last label has a letter, or the name would be an IP address.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}")

#: AWS's own pattern of stage names; and of the ids that it gives, with what mocks have besides.
_STAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_API_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")

#: What AWS or the local gateway answers. Only the local gateway has a path, which is the API's id.
_API_ENDPOINT = re.compile(
    r"(?:wss?|https?)://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:/(?P<path>[A-Za-z0-9_-]*))?",
    re.IGNORECASE,
)

#: The host of an API, {api}.execute-api.{region}.{suffix}.
_REGION = re.compile(r"://[^/]+\.execute-api\.([a-z0-9-]+)\.", re.IGNORECASE)


def domain_name_refusal(text: str) -> str:
    """Why the text is no name of a custom domain."""
    if _HOST_NAME.fullmatch(text):
        return ""
    return (
        f"{text!r} is not the name of a host in lower case, such as ws.example.com. Write other "
        "letters in the ASCII form of the name: xn--..."
    )


def stage_name_refusal(text: str) -> str:
    """Why the text is no name of a stage."""
    if _STAGE_NAME.fullmatch(text):
        return ""
    return f"{text!r} is not a stage's name: letters, digits, hyphens and underscores."


def api_id_refusal(text: str) -> str:
    """Why the text is no id of an API."""
    if _API_ID.fullmatch(text):
        return ""
    return f"{text!r} is not an API's id, such as a1b2c3d4e5."


def api_endpoint_refusal(text: str) -> str:
    """Why the text is no endpoint of an API. Mocks of AWS answer with https://."""
    if _API_ENDPOINT.fullmatch(text):
        return ""
    return f"{text!r} is not an API's endpoint, such as wss://a1b2c3d4e5.execute-api.eu-west-1..."


def socket_endpoint_refusal(text: str, api_id: str) -> str:
    """Why nobody may enter the text as the endpoint of the API with that id."""
    if not text.lower().startswith(("wss://", "ws://")):
        return f"{text!r} must begin with wss://, or ws:// for the local gateway."
    found = _API_ENDPOINT.fullmatch(text)
    if found and found["path"] not in (None, api_id or None):
        return f"{text!r} has a path, which only the local gateway has: the API's id."
    return api_endpoint_refusal(text)


def address_refusal(api_id: str, stage: str, api_endpoint: str) -> str:
    """Why a stage has no address that is certain; an empty column is no reason."""
    return (
        (api_id and api_id_refusal(api_id))
        or stage_name_refusal(stage)
        or (api_endpoint and api_endpoint_refusal(api_endpoint))
    )


def region_of(api_endpoint: str) -> str:
    """Return the region in an API's endpoint; an empty string for the local gateway's."""
    found = _REGION.search(api_endpoint)
    return found[1].lower() if found else ""
