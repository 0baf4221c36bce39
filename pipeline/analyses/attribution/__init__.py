"""Which pixels an output of a network depends on, and whether such a map is any good."""
