"""Benchmarks behind the numbers of the documentation; run by hand, not by pytest."""
