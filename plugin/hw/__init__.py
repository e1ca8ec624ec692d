"""Docks, drivers, offload, uploader and the controller process."""
