"""Which stages a changed parameter runs again: a table written by hand against real runs."""

from typing import Any

import pytest

from tests.end_to_end.project import Project

FIGURES = {
    "render-summary",
    "render-failures",
    "render-activations",
    "render-filters",
    "render-patches",
    "render-embedding",
    "render-attribution",
    "render-codes",
    "render-people",
}
AFTER_PROBES = {
    "activation_maps",
    "gradients",
    "occlusion",
    "scorecard",
    "class_models",
    "render-attribution",
    "inversion",
    "correspondence",
    "render-codes",
    "excited_units",
    "training_dynamics",
    "similarity",
    "separability",
    "render-activations",
    "neighbours",
    "render-embedding",
    "attributes",
    "fooling",
    "render-failures",
}
AFTER_DYNAMICS = {
    "similarity",
    "separability",
    "fooling",
    "render-activations",
    "render-embedding",
    "render-failures",
}
AFTER_PATCHES = {"outlines", "contrasts", "projections", "render-filters", "render-patches", "render-people"}
AFTER_ACTIVATIONS = {
    "predictions",
    "probes",
    "topk",
    "patches",
    "outlines",
    "contrasts",
    "projections",
    "similar_units",
    "units",
    "directions",
    "concepts",
    "embedding",
    "humans",
    *AFTER_PROBES,
    *FIGURES,
}

# Parameter -> another value, and the stages that it runs again; two more read every block and always run.
ALWAYS = {"check", "report"}
TABLE: dict[str, tuple[Any, set[str]]] = {
    "sample.dataset": ("digits", {"sample"}),
    "dataset.seed": (7, {"manifest", "weights", "filters", "extract", "thumbnails", *AFTER_ACTIVATIONS}),
    "model.training.epochs": (3, {"weights", "filters", "extract", *AFTER_ACTIVATIONS}),
    "extract.batch_size": (7, {"extract", *AFTER_ACTIVATIONS}),
    "predictions.bins": (
        5,
        {"predictions", "concepts", "humans", "render-people", "probes", "render-summary", *AFTER_PROBES},
    ),
    "probes.most": (5, {"probes", *AFTER_PROBES}),
    "activation_maps.units": (3, {"activation_maps", "render-activations"}),
    "class_models.steps": (25, {"class_models", "render-attribution"}),
    "gradients.steps": (3, {"gradients", "scorecard", "render-attribution"}),
    "occlusion.stride": (0.5, {"occlusion", "scorecard", "render-attribution"}),
    "scorecard.steps": (4, {"scorecard", "render-attribution"}),
    "inversion.seed": (7, {"inversion", "render-codes"}),
    "correspondence.seed": (7, {"correspondence", "render-codes"}),
    "excited_units.units": (3, {"excited_units", "render-activations"}),
    "topk.k": (2, {"topk", "directions", "patches", *AFTER_PATCHES}),
    "patches.side": (20, {"patches", *AFTER_PATCHES}),
    "outlines.sample": (9, {"outlines", "render-patches"}),
    "projections.units": (1, {"projections", "render-patches"}),
    "contrasts.images": (2, {"contrasts", "render-patches", "render-people"}),
    "similar_units.neighbours": (2, {"similar_units", "render-patches"}),
    "units.bins": (9, {"units", "render-activations", "render-patches"}),
    "filters.seed": (7, {"filters", "render-filters"}),
    "directions.seed": (7, {"directions", "render-patches"}),
    "concepts.seed": (7, {"concepts", "render-patches"}),
    "embedding.seed": (7, {"embedding", "render-embedding"}),
    "neighbours.k": (3, {"neighbours", "render-embedding"}),
    "training_dynamics.sample": (9, {"training_dynamics", *AFTER_DYNAMICS}),
    "similarity.sample": (8, {"similarity", "render-embedding"}),
    "separability.sample": (15, {"separability", "fooling", "render-embedding", "render-failures"}),
    "fooling.images": (4, {"fooling", "render-failures"}),
    "humans.seed": (7, {"humans", "render-people"}),
    "thumbnails.side": (
        12,
        {
            "thumbnails",
            "neighbours",
            "attributes",
            "render-failures",
            "render-summary",
            "render-people",
            "render-embedding",
        },
    ),
    "attributes.examples": (2, {"attributes", "render-failures"}),
    "render_summary.examples": (2, {"render-summary"}),
    "render_failures.listed": (2, {"render-failures"}),
    "render_activations.listed": (2, {"render-activations"}),
    "render_filters.layers": (1, {"render-filters"}),
    "render_patches.units": (1, {"render-patches"}),
    "render_people.listed": (3, {"render-people"}),
    "render_embedding.tile": (12, {"render-embedding"}),
    "render_attribution.probes": (2, {"render-attribution"}),
    "render_codes.probes": (2, {"render-codes"}),
    "report.title": ("Another", set()),
}
# The long chains start the network again; `make test-all` runs them too. Going back has that of topk.k.
QUICK = {"sample.dataset", "report.title"}


@pytest.mark.parametrize(
    "changed", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in TABLE]
)
def test_changed_parameter_runs_exactly_its_stages(copy: Project, changed: str):
    value, expected = TABLE[changed]
    copy.set_params({changed: value})
    assert copy.must("dvc", "repro").ran == ALWAYS | expected
    assert not copy.must("dvc", "repro").ran


def test_going_back_costs_nothing(copy: Project):
    """DVC's run-cache brings back what an earlier value gave."""
    before = copy.results()
    value, expected = TABLE["topk.k"]
    copy.set_params({"topk.k": value})
    assert copy.must("dvc", "repro").ran == ALWAYS | expected
    assert not copy.must("dvc", "repro").ran
    copy.must("git", "checkout", "--quiet", "params.yaml")
    outcome = copy.must("dvc", "repro")
    # `check` keeps its output (persist), and such stages have no run-cache.
    assert outcome.ran <= {"check"}
    assert copy.results() == before


# A comment changes no result, so that the stages after those that import the module have nothing to do.
@pytest.mark.parametrize(
    ("module", "stages"),
    [
        ("pipeline/analyses/predictions/predictions.py", {"predictions"}),
        pytest.param("pipeline/analyses/embedding/grid.py", {"embedding"}, marks=pytest.mark.slow),
        pytest.param("pipeline/figures/patches.py", {"render-patches"}, marks=pytest.mark.slow),
    ],
)
def test_edited_module_runs_the_stages_that_import_it(copy: Project, module: str, stages: set[str]):
    append(copy, module, "# edited")
    assert copy.must("dvc", "repro").ran == {"check", *stages}


def append(project: Project, name: str, line: str) -> None:
    with (project.root / name).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def test_corrected_caption_makes_the_report_alone(copy: Project):
    caption = copy.root / "pipeline/report/captions/embedding.md"
    text = caption.read_text(encoding="utf-8")
    caption.write_text(text.replace("Images that the network", "Pictures that the network"), encoding="utf-8")
    assert copy.must("dvc", "repro").ran == ALWAYS
    page = copy.root / "report/chapters/codes.html"
    assert "Pictures that the network" in page.read_text(encoding="utf-8")


def test_new_field_of_one_stage_leaves_extraction_alone(copy: Project):
    path = copy.root / "stages/blocks/topk.py"
    text = path.read_text(encoding="utf-8")
    edited = text.replace(
        "    margin: int =", '    novel: int = Field(default=1, ge=1, description="new")\n    margin: int ='
    )
    assert edited != text
    path.write_text(edited, encoding="utf-8")
    assert copy.must("dvc", "repro", "topk", "embedding").ran == {"check", "topk"}
