"""Commands of this repository: `python scripts/NAME.py`, `python -m scripts.stack`."""
