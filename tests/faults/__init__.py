"""Every call to the system fails once: in this process here, and by `strace` in those that `tidewaiter run` starts.

What must hold behind each failure: nothing acknowledged is lost, nothing is left behind, no record is silently gone,
what the client heard is true, and the next message is taken as if nothing had been.
"""
