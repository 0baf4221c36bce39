"""DVC that links into its cache instead of copying, as people set it for large folders."""

from tests.end_to_end.project import Project


def test_a_folder_that_dvc_linked_into_its_cache_is_read(copy: Project):
    _add(copy, "symlink")
    assert (copy.root / "pictures/class-0/00.png").is_symlink()
    copy.set_params({"dataset.seed": 1})
    # One stage of each kind that reads the images: all of them in their order, some of them, one at a time.
    readers = ("extract", "thumbnails", "patches")
    assert {"check", "manifest", *readers} <= copy.must("dvc", "repro", *readers).ran
    assert not copy.must("dvc", "repro", *readers).ran


def test_a_folder_of_hard_links_into_dvcs_cache_is_read(copy: Project):
    _add(copy, "hardlink")
    assert (copy.root / "pictures/class-0/00.png").stat().st_nlink > 1
    copy.set_params({"dataset.seed": 1})
    assert copy.must("dvc", "repro", "manifest").ran == {"check", "manifest"}


def test_the_project_s_own_sample_is_read_where_dvc_links_it(copy: Project):
    copy.must("dvc", "config", "cache.type", "symlink")
    copy.set_params({"sample.dataset": "digits", "dataset.path": "data/digits", "dataset.sample": 20})
    outcome = copy.must("dvc", "repro", "manifest")
    assert outcome.ran == {"check", "sample", "manifest"}
    assert (copy.root / "data/digits/0/0000.png").is_symlink()
    assert "manifest: 20 images" in outcome.text


def _add(project: Project, kind: str) -> None:
    """Let DVC take the pictures over and link them into its cache."""
    project.must("dvc", "config", "cache.type", kind)
    project.must("git", "rm", "-r", "--quiet", "--cached", "pictures")
    project.must("dvc", "add", "pictures")
