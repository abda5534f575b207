"""The same trainings as other libraries do them: one script each, as its documentation writes it."""
