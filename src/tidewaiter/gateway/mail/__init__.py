"""What happens on one connection: from the greeting to the reply behind the final dot."""
