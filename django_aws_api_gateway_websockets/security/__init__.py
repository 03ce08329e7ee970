"""Security: may an event come in? Knows settings and the cache, no model and no view.

proof       Does it come from API Gateway?
validation  Can its text be read?
origins     Which page opened the socket?
identity    Who is behind it?
rates       How often?

applications keeps the proof from tools that copy headers.

They share digests, the SHA-256 of a text.
"""
