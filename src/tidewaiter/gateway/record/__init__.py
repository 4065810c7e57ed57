"""What is remembered, logged and counted: the worker's end of it, and the clerk's."""
