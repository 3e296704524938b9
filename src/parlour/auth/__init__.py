"""Auth service: accounts, passwords, tokens, sessions and roles."""
