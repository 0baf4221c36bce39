"""The kinds of page, a module each; each gives its template what it shows."""
