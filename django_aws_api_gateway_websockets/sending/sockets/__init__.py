"""Sockets: HTTP by one loop of non-blocking sockets, of the standard library alone.

engine       the loop: many requests at a time, in the thread that sends
connections  one connection: how it is opened, and the request that is under way on it
opening      how many connections may be opened at once
pool         the idle connections of a process, and how many it may have
lookups      the IP addresses of hosts
responses    how a response is read
deadlines    whose time is over
failures     what can break, and what it is called
"""
