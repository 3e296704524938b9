"""What Parlour costs, beside a peer or a floor in the same run: `python -m bench`, one JSON object a line."""
