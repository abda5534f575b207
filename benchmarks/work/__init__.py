"""What both sides train: rows, networks, and what is asked of them."""
