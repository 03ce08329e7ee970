"""What the performance claims of the documentation rest on; run by hand, not by pytest."""
