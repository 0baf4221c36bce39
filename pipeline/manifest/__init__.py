"""The manifest: every image of a dataset listed, labelled, hashed and checked.

- `scanning`: what is there, without reading a pixel; `csv_records`, `tar_records`: what a CSV, a tar file say
- `layout`: which folders are classes and splits
- `record`: one image as it was found
- `inspection`: what its bytes tell; `cache`: what they told in the last run
- `manifest`: all of it put together
"""
