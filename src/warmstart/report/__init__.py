"""Result -> something to read. Computes nothing."""
