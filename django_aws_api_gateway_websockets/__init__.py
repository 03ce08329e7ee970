"""WebSockets for Django through AWS API Gateway, with ordinary request-response views."""

__version__ = "1.2.0"
