"""Provisioning: what must exist in AWS for a gateway. Knows AWS, not the database.

steps        the API and its stage
routes       the API's routes and their integrations
responses    what an answer needs to reach the client
pings        the mock integration that answers pings
deployments  what a deployment freezes, and putting it into service
domains      the custom domain
clients      a client that asks before it writes, and one that changes nothing
answers      what AWS has answered, or a mock in its place
"""
