"""Give the report to others, with the revision that it came from.

    python -m pipeline.publish branch [--remote origin] [--branch gh-pages] [--history auto|keep|replace]
    python -m pipeline.publish folder DIR
    python -m pipeline.publish zip FILE

A report that parameters, data or code have outrun is refused, unless --stale is given. Published twice,
nothing changes the second time.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from pipeline.errors import UserError
from pipeline.publish.archive import write_archive
from pipeline.publish.branch import History, Target, publish_branch
from pipeline.publish.content import Content, read_content
from pipeline.publish.folder import write_folder
from pipeline.revisions.freshness import stale
from pipeline.revisions.git import git_revision


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, or 1 after a user's mistake, which is one line."""
    options = _parser().parse_args(arguments)
    try:
        revision = git_revision(Path.cwd())
        content = read_content(options.report, revision)
        if not options.stale:
            _refuse_stale(options.report)
        print(f"{_put(content, options)} (revision {revision})", file=sys.stderr)
    except UserError as error:
        print(f"publish: error: {error}", file=sys.stderr)
        return 1
    return 0


def _refuse_stale(report: Path) -> None:
    if reason := stale(Path.cwd(), report):
        raise UserError(f"{report} is out of date ({reason}); run 'dvc repro', or give --stale")


def _put(content: Content, options: argparse.Namespace) -> str:
    """Publish, and say what was done."""
    if options.way == "zip":
        write_archive(content, options.out)
        return str(options.out)
    if options.way == "folder":
        changed = write_folder(content, options.out)
        return f"{options.out}: {'published' if changed else 'nothing changed'}"
    target = Target(options.remote, options.branch, options.history)
    done = publish_branch(content, target, Path.cwd())
    what = "published" if done.is_new else "nothing changed"
    return f"{target.remote}, branch {target.branch}: {what}, commit {done.commit}"


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--report", type=Path, default=Path("report"), help="the report's folder")
    common.add_argument("--stale", action="store_true", help="publish what is out of date")
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.publish", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    ways = parser.add_subparsers(dest="way", required=True)
    branch = ways.add_parser("branch", parents=[common], help="on a branch of a git remote")
    branch.add_argument("--remote", default="origin", help="a remote, or an address (origin)")
    branch.add_argument("--branch", default="gh-pages", help="of the remote (gh-pages)")
    branch.add_argument(
        "--history", choices=get_args(History), default="auto",
        help="replace: one commit, without earlier reports; keep: upon them; auto: replace above 50 MB",
    )  # fmt: skip
    folder = ways.add_parser("folder", parents=[common], help="in a folder")
    folder.add_argument("out", type=Path, metavar="DIR", help="empty, or with a published report")
    archive = ways.add_parser("zip", parents=[common], help="as one zip")
    archive.add_argument("out", type=Path, metavar="FILE", help="the zip to write")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
