"""Arrays drawn as pictures; one module a section, and what several sections share."""
