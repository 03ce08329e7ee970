"""runLocalGateway plays API Gateway on this machine until a signal stops it."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from argparse import ArgumentTypeError
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Iterator
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_aws_api_gateway_websockets.conf import is_loopback

if TYPE_CHECKING:
    from django_aws_api_gateway_websockets.local.gateway import LocalGateway

logger = logging.getLogger("django_aws_api_gateway_websockets.local")

_STATE_FILE = ".local-gateway.json"


class Command(BaseCommand):
    help = "Play API Gateway on this machine: WebSockets, @connections and the control plane."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            help="The address to listen on (127.0.0.1). Others let other machines in.",
        )
        parser.add_argument(
            "--socket-port", type=_port, default=9000, help="The port for WebSockets (9000)."
        )
        parser.add_argument(
            "--control-port",
            type=_port,
            default=9001,
            help="The port for boto3: control plane and @connections (9001).",
        )
        parser.add_argument(
            "--state",
            default=_STATE_FILE,
            metavar="FILE",
            help=f'Where APIs, routes and stages are kept ({_STATE_FILE}); "" for nowhere.',
        )
        parser.add_argument(
            "--public-socket-url",
            type=partial(_public_url, ("ws", "wss")),
            metavar="URL",
            help="What browsers reach the WebSockets by, if by another name or port: ws://host:1",
        )
        parser.add_argument(
            "--public-endpoint-url",
            type=partial(_public_url, ("http", "https")),
            metavar="URL",
            help="What the site reaches the other port by, likewise: http://gateway:9001",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if sys.version_info < (3, 10):
            raise CommandError("The local gateway needs Python 3.10 or newer.")
        if threading.current_thread() is not threading.main_thread():
            raise CommandError("Signals end the command. In a thread use LocalGateway itself.")
        _log_to_console()
        # This comes first, so that a signal during the start is not lost.
        with _stop_signal() as stop:
            gateway = self._start(options)
            try:
                self._announce(gateway, options["host"])
                # The waits are short, since on Windows a signal does not end one.
                while not stop.wait(0.5):
                    pass
            finally:
                gateway.stop()
        self.stdout.write("The local gateway has stopped.")

    def _start(self, options: dict[str, Any]) -> LocalGateway:
        gateway_class = _load_gateway_class()
        from django_aws_api_gateway_websockets.local.errors import StateFileInvalid

        try:
            gateway = gateway_class(
                options["host"],
                options["socket_port"],
                options["control_port"],
                state_file=options["state"] or None,
                public_socket_url=options["public_socket_url"],
                public_endpoint_url=options["public_endpoint_url"],
            )
            gateway.start()
        except StateFileInvalid as error:
            raise CommandError(f"{error} Delete it, or choose another with --state.") from error
        except OSError as error:
            raise CommandError(
                f"The local gateway cannot start: {error}. "
                "Choose others with --host, --socket-port, --control-port and --state."
            ) from error
        return gateway

    def _announce(self, gateway: LocalGateway, host: str) -> None:
        if not is_loopback(host):
            warning = f"Whoever reaches {host} can use this gateway and change it."
            self.stderr.write(self.style.WARNING(warning))
        self.stdout.write(
            "The local gateway runs. Quit with CONTROL-C.\n"
            f"  WebSockets: {gateway.socket_endpoint}\n"
            f"  boto3:      {gateway.endpoint_url}\n"
            "Your settings need:\n"
            f'  AWS_GATEWAY_ENDPOINT_URL = "{gateway.endpoint_url}"'
        )
        if not is_loopback(urlsplit(gateway.endpoint_url).hostname or ""):
            # boto3 asks for them where the endpoint is on another machine.
            self.stdout.write(
                '  AWS_GATEWAY_REGION_NAME = "us-east-1"\n'
                '  AWS_ACCESS_KEY_ID = AWS_SECRET_ACCESS_KEY = "local"  # any will do'
            )
        self.stdout.flush()


def _public_url(schemes: tuple[str, ...], text: str) -> str:
    try:
        url = urlsplit(text)
        is_valid = url.scheme in schemes and url.hostname and (url.port or True)
    except ValueError:
        is_valid = False
    if not is_valid or url.path.strip("/") or url.query or url.fragment or url.username:
        raise ArgumentTypeError(f"{text} is no URL of a host: {schemes[0]}://localhost:9000")
    return text.rstrip("/")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise ArgumentTypeError(f"{text} is not a port; those go from 0 (any free one) to 65535.")
    return int(text)


def _load_gateway_class() -> type[LocalGateway]:
    """Return the gateway's class; raise CommandError without the optional package."""
    remedy = 'Install it: python -m pip install "websockets>=16"'
    try:
        from websockets.version import version
    except ImportError as error:
        raise CommandError(f"The local gateway needs websockets. {remedy}") from error
    if int(version.split(".")[0]) < 16:
        raise CommandError(f"The local gateway needs websockets 16 or newer. {remedy}")
    from django_aws_api_gateway_websockets.local.gateway import LocalGateway

    return LocalGateway


def _log_to_console() -> None:
    """Log each event to the console, unless the project's LOGGING sends it elsewhere."""
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C, SIGTERM and the end of the terminal set."""
    stop = threading.Event()
    signals = [signal.SIGINT, signal.SIGTERM]
    # Windows has no SIGHUP, and nohup wants it to be ignored.
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        signals.append(hang_up)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before):
            signal.signal(number, handler)
