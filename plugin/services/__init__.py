"""The rules: what may happen, and what follows. No Flask, no hardware; a session is passed in."""
