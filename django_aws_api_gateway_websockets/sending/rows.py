"""Rows: what sending is told of sessions, and the endpoints of their gateways."""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, NamedTuple, Optional, Sequence, Tuple, Union

from .. import aws
from ..aws import Endpoint
from ..exceptions import ConfigurationError, RegionMissing
from .reports import Outcome, Recipient, ReportWriter, failed
from .transports import is_replaceable

NO_GATEWAY = failed("The session has no created gateway")


#: A gateway's api_id, stage_name and api_endpoint; all None without a gateway.
Gateway = Tuple[Optional[str], Optional[str], Optional[str]]


class Row(NamedTuple):
    """What sending needs of a session."""

    pk: int
    connection_id: str
    gateway: Gateway


def reachable(batches: Iterable[Sequence[Row]], writer: ReportWriter) -> Iterator[Recipient]:
    """Yield the recipients of the rows that have an endpoint. Count the others as failed."""
    endpoints = Endpoints()
    for rows in batches:
        for row in rows:
            endpoint = endpoints[row.gateway]
            if isinstance(endpoint, Outcome):
                writer.count(row.connection_id, row.pk, endpoint)
            else:
                yield Recipient(row.connection_id, endpoint, row.pk)


class Endpoints(Dict[Gateway, Union[Endpoint, Outcome]]):
    """The endpoint of each gateway, found once; a failed outcome for a gateway that has none."""

    def __missing__(self, gateway: Gateway) -> Union[Endpoint, Outcome]:
        try:
            self[gateway] = endpoint_of(*gateway) or NO_GATEWAY
        except ConfigurationError as error:  # An unknown region concerns only its gateway.
            self[gateway] = failed(str(error))
        return self[gateway]


def endpoint_of(
    api_id: Optional[str], stage_name: Optional[str], api_endpoint: Optional[str]
) -> Optional[Endpoint]:
    """Return the endpoint of a gateway's connections, or None before it has been created.

    Raises RegionMissing, and ConfigurationError for a region that AWS does not have.
    """
    # A mock of Django's tests takes what is sent to a gateway that has only its row.
    if api_id is None or not (api_id or is_replaceable()):
        return None
    return aws.connections_endpoint(api_id, stage_name or "production", api_endpoint or "")


def require_regions(batches: Iterable[Sequence[Row]]) -> None:
    """Raise RegionMissing if the region of one of the gateways is not known."""
    if aws.has_default_region():
        return
    for rows in batches:
        for gateway in {row.gateway for row in rows}:
            try:
                endpoint_of(*gateway)
            except RegionMissing:
                raise
            except ConfigurationError:
                pass  # The report will name it.
