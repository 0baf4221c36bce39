import subprocess

import pytest

from pipeline.errors import UserError
from pipeline.publish import branch as module
from pipeline.publish.branch import Target, publish_branch
from pipeline.publish.content import read_content
from pipeline.revisions.git import git_revision


def publish(project, **target):
    content = read_content(project / "report", git_revision(project))
    return publish_branch(content, Target(**target), project)


def state(project, git):
    """Everything of a repository that publishing must leave alone."""
    files = sorted(path for path in project.rglob("*") if path.is_file())
    return git(project, "branch", "--all"), {path: path.read_bytes() for path in files}


def commits(remote, git):
    return git(remote, "rev-list", "gh-pages").splitlines()


def test_branch_holds_the_report_and_its_revision(project, remote, git):
    done = publish(project)
    revision = git(project, "rev-parse", "HEAD")
    assert done.is_new and commits(remote, git) == [done.commit]
    listed = git(remote, "ls-tree", "-r", "--name-only", "gh-pages").splitlines()
    assert listed == [".nojekyll", "figures/a.png", "index.html", "revision.txt"]
    assert git(remote, "show", "gh-pages:revision.txt") == revision
    assert revision in git(remote, "show", "gh-pages:index.html")
    assert git(remote, "log", "-1", "--format=%s %an", "gh-pages") == f"The report of {revision} A Person"


def test_publishing_leaves_the_project_as_it_was(project, remote, git):
    (project / "params.yaml").write_text("a: 2\n")
    git(project, "add", "params.yaml")
    (project / "params.yaml").write_text("a: 3\n")
    before = state(project, git)
    publish(project)
    publish(project)
    assert state(project, git) == before


def test_second_publication_of_the_same_report_changes_nothing(project, remote, git):
    first = publish(project)
    second = publish(project)
    assert second.commit == first.commit and not second.is_new
    assert commits(remote, git) == [first.commit]


def test_a_changed_report_comes_upon_the_last_or_takes_its_place(project, remote, git):
    first = publish(project)
    (project / "report/figures/a.png").write_bytes(b"another")
    second = publish(project)
    assert commits(remote, git) == [second.commit, first.commit]
    assert git(remote, "show", "gh-pages:figures/a.png") == "another"
    alone = publish(project, history="replace")
    assert alone.is_new and commits(remote, git) == [alone.commit]
    assert not publish(project, history="replace").is_new


def test_a_large_report_takes_the_place_of_the_last(project, remote, git, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_KEPT", 10)
    publish(project)
    (project / "report/figures/a.png").write_bytes(b"another")
    second = publish(project)
    assert second.is_new and commits(remote, git) == [second.commit]
    (project / "report/figures/a.png").write_bytes(b"a third")
    publish(project, history="keep")
    assert len(commits(remote, git)) == 2


@pytest.mark.parametrize("history", ["keep", "replace"])
def test_the_domain_that_a_branch_is_shown_under_stays(project, remote, git, tmp_path, history):
    publish(project)
    site = tmp_path / "site"
    git(tmp_path, "clone", "--quiet", "--branch", "gh-pages", str(remote), str(site))
    (site / "CNAME").write_text("atlas.example\n")
    git(site, "add", "CNAME")
    git(site, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "Settings, Pages")
    git(site, "push", "--quiet")
    (project / "report/figures/a.png").write_bytes(b"another")
    assert publish(project, history=history).is_new
    assert git(remote, "show", "gh-pages:CNAME") == "atlas.example"
    assert not publish(project, history=history).is_new


def test_uncommitted_changes_are_said(project, remote, git):
    (project / "params.yaml").write_text("a: 2\n")
    publish(project)
    assert git(remote, "show", "gh-pages:revision.txt").endswith(" with uncommitted changes")
    assert "with uncommitted changes" in git(remote, "log", "-1", "--format=%s", "gh-pages")


def test_the_same_report_is_the_same_commit_on_another_remote(project, remote, git, tmp_path, monkeypatch):
    """At whatever time: a commit bears that of its revision."""
    with monkeypatch.context() as past:
        past.setenv("GIT_COMMITTER_DATE", "2001-02-03T04:05:06+00:00")
        git(project, "commit", "--quiet", "--amend", "--no-edit")
    first = publish(project)
    assert git(remote, "log", "-1", "--format=%cI %aI", "gh-pages") == " ".join(
        ["2001-02-03T04:05:06+00:00"] * 2
    )
    git(tmp_path, "init", "--quiet", "--bare", "other.git")
    assert publish(project, remote="../other.git").commit == first.commit


def test_a_branch_with_something_else_is_refused(project, remote, git):
    git(project, "push", "--quiet", "origin", "main")
    with pytest.raises(UserError, match="no published report"):
        publish(project, branch="main")
    assert git(remote, "ls-tree", "--name-only", "main").splitlines() == [".gitignore", "params.yaml"]


@pytest.mark.parametrize("setting", ["autocrlf = input", "attributesFile = ATTRIBUTES"])
def test_line_ends_and_ignored_files_come_as_they_are(project, remote, git, tmp_path, monkeypatch, setting):
    """Whatever the user's own settings make of files elsewhere."""
    (tmp_path / "attributes").write_text("*.csv text eol=lf\n")
    (tmp_path / "ignored").write_text("*.csv\n")
    setting = setting.replace("ATTRIBUTES", str(tmp_path / "attributes"))
    config = f"[core]\n{setting}\nexcludesFile = {tmp_path / 'ignored'}\nsafecrlf = false\n"
    (tmp_path / "config").write_text(config)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    (project / "report/table.csv").write_bytes(b"a,b\r\n1,2\r\n")
    publish(project)
    blob = subprocess.run(
        ["git", "show", "gh-pages:table.csv"], cwd=remote, check=True, capture_output=True
    ).stdout
    assert blob == b"a,b\r\n1,2\r\n"


def test_remotes_are_reached_as_the_settings_of_the_project_say(project, remote, git):
    git(project, "config", f"url.{remote.parent}/.insteadOf", "shelf:")
    assert publish(project, remote="shelf:remote.git").is_new


def test_a_refused_push_ends_in_one_line(project, remote):
    hook = remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'no room' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(UserError, match=r"origin did not take the branch gh-pages: .*rejected") as caught:
        publish(project)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"remote": "upstream"}, "no remote 'upstream'"),
        ({"remote": "/no/such/place.git"}, "place.git"),
        ({"branch": "a..b"}, "a..b"),
    ],
)
def test_a_wrong_target_ends_in_one_line(project, remote, target, said):
    with pytest.raises(UserError, match=said) as caught:
        publish(project, **target)
    assert "\n" not in str(caught.value)


def test_a_person_whom_git_does_not_know_is_told_how_to_say_it(project, remote, git):
    git(project, "config", "user.useConfigOnly", "true")
    git(project, "config", "--unset", "user.email")
    with pytest.raises(UserError, match=r"git config user\.email"):
        publish(project)


def test_a_folder_outside_git_is_refused(report):
    with pytest.raises(UserError, match="no git repository"):
        publish_branch(read_content(report, "unknown"), Target(), report)
