"""The machine that this runs on, as its own services keep it: clock, time zone, host name, addresses.

What is read here is told as it is, also on a machine without any of these services; what cannot be changed comes with
the reason and with what to do by hand. Nothing of a body worn system is known here.
"""
