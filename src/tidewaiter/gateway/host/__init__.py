"""What the machine gives: addresses, users, files; and what a configuration asks of it."""
