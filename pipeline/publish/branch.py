"""The report on a branch of a remote, as GitHub Pages and the like show it.

Commits are made in a temporary repository: the user's own keeps its files, its index, its branches and its
objects. The same report and revision are the same tree, of which there is nothing to publish again.
"""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.errors import UserError
from pipeline.publish.content import DOMAIN, MARK, Content
from pipeline.revisions.git import git

History = Literal["auto", "keep", "replace"]
# A branch keeps each picture that was ever on it: above this, one commit replaces the last.
LARGEST_KEPT = 50_000_000  # bytes
# Without it GitHub Pages runs the files through Jekyll, which drops some.
NO_JEKYLL = ".nojekyll"
# What says how a remote is reached, in the settings of one repository alone.
TRANSPORT = ("http.", "credential.", "url.", "core.sshcommand", "core.askpass", "ssh.", "protocol.")
# Files are what they are, whatever the user's settings make of others.
VERBATIM = {
    "core.autocrlf": "false",
    "core.fileMode": "false",
    "core.attributesFile": os.devnull,
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
}


@dataclass(frozen=True)
class Target:
    """Where a report is published.

    Attributes
    ----------
    remote
        A remote of the project's, or an address.
    branch
        Of the remote.
    history
        Whether earlier reports stay on the branch; "auto": up to 50 MB.
    """

    remote: str = "origin"
    branch: str = "gh-pages"
    history: History = "auto"


@dataclass(frozen=True)
class Published:
    """The commit that the branch is at, and whether it is new."""

    commit: str
    is_new: bool


def publish_branch(content: Content, target: Target, project: Path) -> Published:
    """Bring the branch of a remote to what is published.

    Parameters
    ----------
    content
        The report.
    target
        Where to.
    project
        A folder of the project's repository, which says how remotes are reached, and who commits.

    Raises
    ------
    UserError
        If there is no such repository or remote, the branch holds something else than a report, or the
        remote takes no push.
    """
    address = _address(target, project)
    reference = f"refs/heads/{target.branch}"
    with tempfile.TemporaryDirectory(prefix="publish-") as folder:
        repository = _Repository(Path(folder), project)
        before = repository.fetch(address, reference)
        if before and MARK not in repository.names(before):
            raise UserError(
                f"{target.remote}: its branch {target.branch} holds something that is no published report; "
                "give another branch, or delete that one"
            )
        tree = repository.tree(content, before)
        keep = target.history == "keep" or (target.history == "auto" and content.bytes() <= LARGEST_KEPT)
        if before and repository.holds(before, tree, alone=not keep):
            return Published(before, is_new=False)
        commit = repository.commit(tree, before if keep else "", content.revision)
        try:
            # The lease: nothing that came there in the meantime is lost.
            lease = f"--force-with-lease={reference}:{before}"
            repository.run("push", "--quiet", "--no-thin", lease, address, f"{commit}:{reference}")
        except UserError as error:
            raise UserError(f"{target.remote} did not take the branch {target.branch}: {error}") from None
        return Published(commit, is_new=True)


def _address(target: Target, project: Path) -> str:
    """Return where a remote is, as git is to be told elsewhere."""
    try:
        git(project, "rev-parse", "--git-dir")
    except UserError:
        raise UserError(f"{project}: no git repository; publish into a folder or a zip instead") from None
    git(project, "check-ref-format", "--branch", target.branch)
    if target.remote in git(project, "remote").splitlines():
        found = git(project, "remote", "get-url", "--push", target.remote)
    elif "/" in target.remote or ":" in target.remote or (project / target.remote).is_dir():
        found = target.remote
    else:
        raise UserError(
            f"no remote '{target.remote}'; name one with 'git remote add {target.remote} ADDRESS', or give "
            "its address"
        )
    # A path is relative to the project, not to the temporary repository.
    return str((project / found).resolve()) if (project / found).is_dir() else found


class _Repository:
    """A temporary one, without a working tree, that reaches remotes as the project's does."""

    def __init__(self, folder: Path, project: Path) -> None:
        self._folder, self._project = folder, project
        self._environment = {"GIT_DIR": str(folder), **_settings({**_transport(project), **VERBATIM})}
        self.run("init", "--quiet", "--bare", "--template=")

    def run(self, *arguments: str, tree: Path | None = None, given: bytes | None = None) -> str:
        """Run a command of git on this repository, in a working tree if one is given."""
        where = {} if tree is None else {"GIT_WORK_TREE": str(tree)}
        return git(tree or self._folder, *arguments, environment={**self._environment, **where}, given=given)

    def fetch(self, address: str, reference: str) -> str:
        """Fetch the last commit of a branch; return its hash, empty where there is no such branch."""
        found = self.run("ls-remote", address, reference).partition("\t")[0]
        if found:
            self.run("fetch", "--quiet", "--no-tags", "--depth=1", address, reference)
        return found

    def names(self, commit: str) -> list[str]:
        """Return the names at the top of a commit's tree."""
        return self.run("ls-tree", "--name-only", commit).splitlines()

    def holds(self, commit: str, tree: str, *, alone: bool) -> bool:
        """Tell whether a commit is of a tree, and, where it is to be alone, has no parent."""
        about = self.run("cat-file", "commit", commit).partition("\n\n")[0].splitlines()
        return about[0] == f"tree {tree}" and not (
            alone and any(line.startswith("parent ") for line in about)
        )

    def tree(self, content: Content, before: str) -> str:
        """Write the report's files beside the domain that a commit names; return the hash of their tree."""
        self.run("add", "--all", "--force", ".", tree=content.report.resolve())
        for name, data in {**content.added(), NO_JEKYLL: b""}.items():
            blob = self.run("hash-object", "-w", "--stdin", given=data)
            self.run("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
        if before:
            self.run("update-index", "--index-info", given=self.run("ls-tree", before, DOMAIN).encode())
        return self.run("write-tree")

    def commit(self, tree: str, parent: str, revision: str) -> str:
        """Commit a tree and return the hash: the same for the same tree, parent, revision and person."""
        parents = ["-p", parent] if parent else []
        self._environment |= _person_and_time(self._project)
        return self.run("commit-tree", tree, *parents, "-m", f"The report of {revision}")


def _transport(project: Path) -> dict[str, str]:
    """Return how remotes are reached by the settings of one repository alone; git finds all others anyway."""
    words = git(project, "config", "--list", "--show-scope", "-z").split("\0")
    found: dict[str, str] = {}
    for scope, setting in zip(words[::2], words[1::2], strict=False):
        key, _, value = setting.partition("\n")
        if scope in {"local", "worktree"} and key.startswith(TRANSPORT):
            found[key] = value
    return found


def _settings(values: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that hand settings to git, which unlike its options no list of processes shows."""
    before = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    variables = {"GIT_CONFIG_COUNT": str(before + len(values))}
    for number, (key, value) in enumerate(values.items(), start=before):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _person_and_time(project: Path) -> dict[str, str]:
    """Return who commits, and when: at the time of the revision, so that it is the same commit each time."""
    try:
        name, _, rest = git(project, "var", "GIT_COMMITTER_IDENT").partition(" <")
    except UserError:
        raise UserError(
            "git does not know who commits; say it with 'git config user.name NAME' and "
            "'git config user.email ADDRESS'"
        ) from None
    address, _, time = rest.rpartition("> ")
    with contextlib.suppress(UserError):  # a project without a commit
        time = git(project, "show", "--no-patch", "--format=%cd", "--date=raw", "HEAD")
    person = {"NAME": name, "EMAIL": address, "DATE": time}
    return {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
