"""The open camera volume format and its turns, as seen from both sides."""
