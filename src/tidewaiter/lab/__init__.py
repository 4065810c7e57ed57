"""The lab: learns how a live program reads, and how it writes, and holds the rows against it.

The lab judges the rows: a row that it contradicts is a bug.  It reads replies and its own byte records,
and of what it judges it imports only the words in which a row is written.
"""
