"""What git and DVC know of a project: the only room that asks them.

- `git`: commands of git, and which revision is checked out
- `freshness`: whether results are what the parameters, data and code now give
- `artifacts`: what stages made at another revision
"""
