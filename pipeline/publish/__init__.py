"""The report given to others: as a branch that a server shows, as a folder, as one zip.

    python -m pipeline.publish branch       to the branch gh-pages of the remote origin
    python -m pipeline.publish folder DIR
    python -m pipeline.publish zip FILE

The report itself knows no revision: as an output that DVC tracks by its digest, a report that named its own
commit could never be clean. What is published names it, on the first page and in a file.

- `content`: the report's files, with the revision
- `archive`, `folder`, `branch`: where they are put
"""
