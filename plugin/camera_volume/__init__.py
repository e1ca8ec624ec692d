"""The open camera volume format (``docs/camera-volume.md``): its documents, the two units, a simulated USB socket.

Signatures are checked by those who use it; this room knows no keys, cameras or tables.
"""
