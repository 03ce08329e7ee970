"""WebSockets for Django through AWS API Gateway, with ordinary request-response views."""

__version__ = "5.0.0"
