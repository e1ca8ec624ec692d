"""One squashed base migration until 1.0."""
