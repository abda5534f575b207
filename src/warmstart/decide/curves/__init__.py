"""How a score grows with labelled rows: fitted, predicted with its doubt, or refused with the reason."""
