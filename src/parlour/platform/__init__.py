"""What every service stands on: errors, ids, clock, logging, metrics, tokens, the bus and the engines' connections."""
