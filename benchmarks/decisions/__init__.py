"""The decision study: every strategy run to its end, so that what ought to have been chosen is known."""
