"""Provisioning: what must exist in AWS for a gateway. Knows AWS, not the database.

steps    the API, its stage, its deployment and its custom domain
routes   the API's routes and their integrations
dry_run  a client that changes nothing and notes what would change
"""
