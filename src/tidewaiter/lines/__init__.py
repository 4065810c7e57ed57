"""What ends a line and what ends a message: read strictly, written anew, and as machines."""
