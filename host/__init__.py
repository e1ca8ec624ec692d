"""bodyworn_host: the reference host, a small video management system named Harbour VMS.

It is what other hosts copy from, what newcomers start, what tests use and what extension controllers run. It knows
nothing of body worn cameras: it reads ``manifest.json`` files and keeps the contract of ``docs/host-contract.md``.
"""
