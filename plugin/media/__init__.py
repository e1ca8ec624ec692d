"""Looking into recorded media: only in processes of their own, with limits, because what is looked into is foreign.

FFmpeg reads what cameras and strangers wrote, so it never runs in a process that holds keys or a database. The child
gets no file and no path: it asks its parent for bytes, and gives JSON.
"""
