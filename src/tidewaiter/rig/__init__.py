"""A byte-exact sender, a receiver that plays any dialect, and a sink that keeps every byte: for tools, shows and tests.

Nothing here repairs: what is to be written is what goes out, and what came in is kept as it came.
None of it imports the gateway's own SMTP, so that it may judge the gateway.
"""
