"""Load generators: clients cheap enough that one core drives 10,000 sockets, and what is needed to measure honestly."""
