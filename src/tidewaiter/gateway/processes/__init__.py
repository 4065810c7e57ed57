"""How the supervisor makes and ends processes, and what they share."""
