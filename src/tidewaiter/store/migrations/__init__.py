"""How the tables came to be as they are, step by step; `Archive` takes all steps that are missing."""
