"""The gateway that runs without AWS. Optional: the extra `[local]`, Python 3.10 and newer."""
