"""What machines say of one another: what a program reads, what splits it from another, and what nothing splits."""
