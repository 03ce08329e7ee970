"""Of 4.1.0: the migration of the app as a project of that release has it."""
