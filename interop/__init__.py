"""Runs of jauap against SMPP of other hands that `make test` does without."""
