"""How is a result shown, to a person and to a program?  Values, and a renderer for each form of them."""
