"""The user's files -> a Bundle of rows, split once."""
