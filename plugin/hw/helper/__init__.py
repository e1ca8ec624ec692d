"""What needs root: mounts of cameras' disks, their end, and ejecting; and the small process that does it for others.

``mounting``, ``loops`` and ``eject`` do it, in whatever process is root. ``server`` does it for a controller that is
not: a few ``verbs`` on a Unix socket, each argument of which is checked against what the kernel says (``devices``,
``places``). ``client`` is the controller's end. Nothing here imports the database or the pages: the helper is small.
"""
