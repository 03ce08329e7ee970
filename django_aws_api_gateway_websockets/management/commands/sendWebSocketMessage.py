"""sendWebSocketMessage sends a message from the command line."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import pluralize

from django_aws_api_gateway_websockets.exceptions import ConfigurationError, MessageError
from django_aws_api_gateway_websockets.management.progress import ProgressLine
from django_aws_api_gateway_websockets.models import WebSocketSession, WebSocketSessionQuerySet
from django_aws_api_gateway_websockets.sending import Report

#: The exit status of a program that Ctrl-C has ended.
INTERRUPTED = 130


class Command(BaseCommand):
    help = "Send a message to the connections of a channel, to those of a user, or to all."

    def add_arguments(self, parser: CommandParser) -> None:
        to = parser.add_mutually_exclusive_group(required=True)
        to.add_argument("--channel", metavar="NAME", help="To all connections of this channel.")
        to.add_argument("--user", metavar="NAME", help="To all that this user has open.")
        to.add_argument("--all", action="store_true", help="To all connections.")
        parser.add_argument(
            "--text", action="store_true", help="Send the message as it is. It need not be JSON."
        )
        parser.add_argument(
            "message",
            nargs="?",
            default="-",
            help='The message, as JSON. Left out, or "-", it is read from standard input.',
        )

    def handle(self, *args: Any, **options: Any) -> None:
        sessions = _recipients(options)
        is_quiet = options["verbosity"] < 1
        progress = ProgressLine(self.stderr, hidden=is_quiet)
        try:
            with progress:
                report = _send(sessions, options, progress)
        except KeyboardInterrupt:
            self.stderr.write(f"Interrupted after {progress}; some more may have got it.")
            sys.exit(INTERRUPTED)
        if not is_quiet:
            self.stdout.write(_result(report))
        if report.failed:
            raise CommandError(_failures(report))


def _recipients(options: dict[str, Any]) -> WebSocketSessionQuerySet:
    sessions = WebSocketSession.objects.all()
    if options["channel"] is not None:
        return sessions.filter(channel_name=options["channel"])
    if options["user"] is not None:
        return sessions.filter(user=_user(options["user"]))
    return sessions


def _user(name: str) -> Any:
    """Return the user who logs in by this name; raise CommandError if there is none."""
    users: Any = get_user_model()
    try:
        return users._default_manager.get_by_natural_key(name)
    except users.DoesNotExist as error:
        raise CommandError(f"There is no user {name}.") from error


def _send(
    sessions: WebSocketSessionQuerySet, options: dict[str, Any], progress: ProgressLine
) -> Report:
    text = _read(options["message"])
    try:
        if options["text"]:
            return sessions.send_text(text, progress=progress)
        return sessions.send_message(_parse(text), progress=progress)
    except MessageError as error:
        raise CommandError(f"{error} Nothing was sent.") from error
    except ConfigurationError as error:
        came_to = f" Stopped after {progress}." if progress.done else ""
        raise CommandError(f"{error}{came_to}") from error


def _read(message: str) -> str:
    try:
        return sys.stdin.read() if message == "-" else message
    except UnicodeDecodeError as error:
        raise CommandError(f"The message is not text ({error}). Nothing was sent.") from error


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"The message is not JSON ({error}). Nothing was sent.") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} has no JSON form")


def _result(report: Report) -> str:
    to = f"{report.sent} connection{pluralize(report.sent)}"
    return f"Sent to {to}; {report.gone} gone, {report.failed} failed."


def _failures(report: Report) -> str:
    reasons = [f"{count} failed: {reason}" for reason, count in report.reasons.most_common()]
    failed = f"{report.failed} connection{pluralize(report.failed)} could not be reached."
    return "\n".join([failed, *reasons])
