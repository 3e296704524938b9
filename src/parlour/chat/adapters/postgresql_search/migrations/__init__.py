"""The history of the tables of full text."""
