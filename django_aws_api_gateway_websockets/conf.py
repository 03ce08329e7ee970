"""Settings of the package, read when asked. The only module that reads django.conf.settings."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Dict, Optional, Tuple
from urllib.parse import urlsplit

from django.conf import settings as django_settings

from .exceptions import ConfigurationError

#: The ports of a URL that names none.
DEFAULT_PORTS = {"http": 80, "https": 443}

#: The keys that the WEBSOCKETS setting may hold, with their defaults.
DEFAULTS: Dict[str, Any] = {
    "transport": "auto",
    "max_in_flight": None,
    "max_send_rate": None,
    "send_timeout": 7200,
    "endpoints": {},
    "source_secret": (),
    "require_old_header": False,
    "allowed_integration_hosts": (),
    "ticket_lifetime": 60,
    "ticket_rate": None,
    "connect_rate": None,
    "message_rate": None,
    "rate_cache": "default",
    "client_limits": {},
    "task_backend": None,
    "task_lease": 60,
}

#: What "client_limits" may hold: seconds, and for "frame" bytes. See Limits in client.d.ts.
CLIENT_LIMITS = ("idle", "lifetime", "frame", "handshake", "overlap")


class Settings:
    """Typed access to the settings; see docs/settings for what each one means."""

    @property
    def region_name(self) -> Optional[str]:
        """AWS_GATEWAY_REGION_NAME, or AWS_REGION_NAME."""
        return self._get("AWS_GATEWAY_REGION_NAME") or self._get("AWS_REGION_NAME")

    @property
    def has_url_patterns(self) -> bool:
        """True if Django has a ROOT_URLCONF. A worker or a script may have none."""
        return bool(getattr(django_settings, "ROOT_URLCONF", None))

    @property
    def iam_profile(self) -> Optional[str]:
        """AWS_IAM_PROFILE: a profile of the shared AWS configuration. Wins over keys."""
        return self._get("AWS_IAM_PROFILE")

    @property
    def access_key_id(self) -> Optional[str]:
        return self._get("AWS_ACCESS_KEY_ID")

    @property
    def secret_access_key(self) -> Optional[str]:
        return self._get("AWS_SECRET_ACCESS_KEY")

    @property
    def session_token(self) -> Optional[str]:
        return self._get("AWS_SESSION_TOKEN")

    @property
    def endpoint_url(self) -> Optional[str]:
        """AWS_GATEWAY_ENDPOINT_URL: where both boto3 clients go instead of AWS."""
        url = self._get("AWS_GATEWAY_ENDPOINT_URL")
        return url.rstrip("/") if url else None

    @property
    def endpoint_is_loopback(self) -> bool:
        """True if the endpoint is on this machine, as the local gateway is."""
        try:
            host = urlsplit(self.endpoint_url or "").hostname or ""
        except ValueError:  # It is no URL. A system check says so.
            return False
        return is_loopback(host)

    @property
    def transport(self) -> str:
        """WEBSOCKETS["transport"]: "auto", the name of a transport, or a class's dotted path."""
        return str(self._websockets("transport"))

    @property
    def max_in_flight(self) -> Optional[int]:
        """WEBSOCKETS["max_in_flight"]: recipients to whom a message is sent at the same time.

        None leaves it to the transport.
        """
        chosen = self._websockets("max_in_flight")
        return None if chosen is None else int(chosen)

    @property
    def max_send_rate(self) -> Optional[float]:
        """WEBSOCKETS["max_send_rate"]: messages a second that one process sends at most."""
        chosen = self._websockets("max_send_rate")
        return None if chosen is None else float(chosen)

    @property
    def send_timeout(self) -> float:
        """WEBSOCKETS["send_timeout"]: seconds after which no more recipients are tried."""
        return float(self._websockets("send_timeout"))

    @property
    def endpoints(self) -> Dict[str, str]:
        """WEBSOCKETS["endpoints"]: for some APIs' ids, the URLs that messages are posted to.

        Raises ConfigurationError for a value that is not a dict of texts.
        """
        chosen = self._websockets("endpoints")
        if not chosen:
            return {}
        is_dict = isinstance(chosen, dict)
        if not is_dict or not all(isinstance(t, str) for pair in chosen.items() for t in pair):
            raise ConfigurationError('WEBSOCKETS["endpoints"] must be a dict of texts.')
        return {api_id: url.rstrip("/") for api_id, url in chosen.items()}

    @property
    def source_secret(self) -> Tuple[str, ...]:
        """WEBSOCKETS["source_secret"], one or several: provisioning maps the first one.

        Raises ConfigurationError for a value that is not text: anybody could guess "None".
        """
        chosen = self._websockets("source_secret") or ()
        secrets = (chosen,) if isinstance(chosen, str) else chosen
        if not isinstance(secrets, (list, tuple)) or not all(isinstance(s, str) for s in secrets):
            raise ConfigurationError(
                'WEBSOCKETS["source_secret"] must be text, or a list of texts.'
            )
        return tuple(secrets)

    @property
    def require_old_header(self) -> bool:
        """WEBSOCKETS["require_old_header"]: gateways that 4.1.0 deployed must send its header."""
        return bool(self._websockets("require_old_header"))

    @property
    def allowed_integration_hosts(self) -> Tuple[str, ...]:
        """WEBSOCKETS["allowed_integration_hosts"]: where gateways may post to; empty: anywhere.

        Raises ConfigurationError for a value that is not a list of texts.
        """
        chosen = self._websockets("allowed_integration_hosts") or ()
        if not isinstance(chosen, (list, tuple)) or not all(isinstance(h, str) for h in chosen):
            text = 'WEBSOCKETS["allowed_integration_hosts"] must be a list of texts.'
            raise ConfigurationError(text)
        return tuple(chosen)

    @property
    def secret_keys(self) -> list[Any]:
        """SECRET_KEY, then SECRET_KEY_FALLBACKS, each as it is: text or bytes.

        Raises ConfigurationError for a key of another type, and for an empty key.
        """
        fallbacks = django_settings.SECRET_KEY_FALLBACKS or ()
        is_list = isinstance(fallbacks, (list, tuple))
        keys = [django_settings.SECRET_KEY, *(fallbacks if is_list else [None])]
        if not all(key and isinstance(key, (str, bytes)) for key in keys):
            raise ConfigurationError("SECRET_KEY_FALLBACKS has a key that is empty or not text.")
        return keys

    @property
    def ticket_lifetime(self) -> int:
        """WEBSOCKETS["ticket_lifetime"]: seconds in which a ticket must be used."""
        return int(self._websockets("ticket_lifetime"))

    @property
    def ticket_rate(self) -> Optional[str]:
        """WEBSOCKETS["ticket_rate"]: how many tickets one user may ask for, "10/m"."""
        return self._websockets("ticket_rate") or None

    @property
    def connect_rate(self) -> Optional[str]:
        """WEBSOCKETS["connect_rate"]: how often one client may connect, "30/m"."""
        return self._websockets("connect_rate") or None

    @property
    def message_rate(self) -> Optional[str]:
        """WEBSOCKETS["message_rate"]: how many messages one client may send, "30/m"."""
        return self._websockets("message_rate") or None

    @property
    def rate_cache(self) -> str:
        """WEBSOCKETS["rate_cache"]: the alias in CACHES of the cache that counts for the rates."""
        return str(self._websockets("rate_cache"))

    @property
    def client_limits(self) -> Dict[str, float]:
        """WEBSOCKETS["client_limits"]: what pages take for API Gateway's limits, by name."""
        return dict(self._websockets("client_limits") or {})

    @property
    def task_backend(self) -> Optional[str]:
        """WEBSOCKETS["task_backend"]: "celery", "django", or the dotted path of a class."""
        return self._websockets("task_backend") or None

    @property
    def task_lease(self) -> int:
        """WEBSOCKETS["task_lease"]: a worker silent for so many seconds is taken for dead."""
        return int(self._websockets("task_lease"))

    @property
    def session_cookie_name(self) -> str:
        return django_settings.SESSION_COOKIE_NAME

    @property
    def authentication_backends(self) -> list[str]:
        return list(django_settings.AUTHENTICATION_BACKENDS)

    @property
    def csrf_header(self) -> str:
        """CSRF_HEADER_NAME, as a client writes it."""
        return django_settings.CSRF_HEADER_NAME[len("HTTP_") :].replace("_", "-")

    @property
    def csrf_cookie(self) -> Optional[str]:
        """CSRF_COOKIE_NAME, if a page may read that cookie, else None."""
        is_readable = not (
            django_settings.CSRF_USE_SESSIONS or django_settings.CSRF_COOKIE_HTTPONLY
        )
        return django_settings.CSRF_COOKIE_NAME if is_readable else None

    @property
    def trusted_origins(self) -> list[str]:
        return list(django_settings.CSRF_TRUSTED_ORIGINS)

    @property
    def allowed_hosts(self) -> list[str]:
        """ALLOWED_HOSTS, or what Django uses instead of an empty list under DEBUG."""
        hosts = list(django_settings.ALLOWED_HOSTS)
        if django_settings.DEBUG and not hosts:
            return [".localhost", "127.0.0.1", "[::1]"]
        return hosts

    def _get(self, name: str) -> Optional[str]:
        value = getattr(django_settings, name, None) or None
        if value is not None and not isinstance(value, str):
            raise ConfigurationError(f"{name} must be text.")
        return value

    def _websockets(self, key: str) -> Any:
        chosen = getattr(django_settings, "WEBSOCKETS", {})
        if not isinstance(chosen, dict):
            raise ConfigurationError("WEBSOCKETS must be a dict.")
        return chosen.get(key, DEFAULTS[key])


@lru_cache(maxsize=16)
def is_loopback(host: str) -> bool:
    """True if a host name or an IP address is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # It is a name.
        return host == "localhost"


conf = Settings()
