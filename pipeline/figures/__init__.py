"""Arrays drawn as pictures; a module a section, and in `drawing` what several of them draw with."""
