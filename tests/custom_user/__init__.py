"""A project with a user model of its own, tested in a process of its own."""
