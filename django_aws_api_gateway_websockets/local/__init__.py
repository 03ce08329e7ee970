"""Local gateway: it plays API Gateway without AWS.

Optional: it needs the extra `local`, and Python 3.10 or newer.
"""
