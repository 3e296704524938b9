"""What full text means here, whatever engine keeps the index: words, queries, ranking, highlights. Pure."""
