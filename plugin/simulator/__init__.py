"""Cameras and a dock that do not exist: the reference implementation of the camera side."""
