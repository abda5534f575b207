"""How well a limit of forgetting holds, and what it costs: real weights, tuned on to another task."""
