"""The shape of a config file: every key with its type, its default and what it means."""

import difflib
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from smearlab.grid.estimator import read_estimator

RESERVED_NAMES = ("data", "labels", "teachers", "students", "estimates", "theory", "published")


def _distinct(values: list) -> list:
    seen: set[str] = set()
    for value in values:
        if repr(value) in seen:
            shown = value.model_dump(exclude_unset=True) if isinstance(value, BaseModel) else value
            raise ValueError(f"{shown!r} stands here twice")
        seen.add(repr(value))
    return values


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _spelled(value: Any) -> Any:
    return "true" if value is True else value  # YAML reads `transition: true` as a truth value


def _known_transition(text: str) -> str:
    """Return the one spelling of a transition; the estimator and its options are checked with the other names."""
    estimator = read_estimator(text)
    if estimator is not None:
        return estimator.text
    perturbed = re.fullmatch(r"perturbed\((0|1|0?\.\d+|[01]\.\d*)\)", text)
    if (perturbed and float(perturbed[1]) <= 1) or re.fullmatch(r"true|matched|alpha", text):
        return text
    near = difflib.get_close_matches(text, ("true", "matched", "alpha"), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "EPS is a total variation from 0 to 1"
    raise ValueError(f"allowed: true, matched, alpha, estimated(NAME), perturbed(EPS); {hint}")


def _no_negative_zero(value: float) -> float:
    return value + 0.0


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*$", max_length=40)]
Transition = Annotated[str, AfterValidator(_known_transition), BeforeValidator(_spelled)]
Alpha = Annotated[float, Field(lt=1), AfterValidator(_no_negative_zero)]
Share = Annotated[float, Field(ge=0, le=1), AfterValidator(_no_negative_zero)]
Rate = Annotated[float, Field(ge=0, lt=1), AfterValidator(_no_negative_zero)]


def many(item: Any) -> Any:
    """A list of at least one distinct item; a single item may stand for a list of one."""
    return Annotated[list[item], Field(min_length=1), AfterValidator(_distinct), BeforeValidator(_listed)]


class Strict(BaseModel):
    """No unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())


class Open(BaseModel):
    """An entry of the registry: its further keys are the options of that entry, checked against its signature."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False, protected_namespaces=())


class DatasetConfig(Open):
    """Images and labels, and how they are split."""

    kind: str = Field(description="a registered data set: digits, mnist, cifar10, arrays, folder, …")
    validation: float = Field(0.1, gt=0, lt=0.9, description="part of the non-test examples held out as validation")
    test: float = Field(0.25, gt=0, lt=0.9, description="part held out as test where the data has no test split")
    split_seed: int = Field(0, ge=0, lt=2**32, description="draws the split, and nothing else")
    subset: int | None = Field(None, ge=20, lt=2**32, description="keep only so many train and validation examples")
    test_subset: int | None = Field(None, ge=10, lt=2**32, description="keep only so many test examples")
    gold: str | None = Field(
        None,
        description="true labels of some examples: a table, as `python -m smearlab gold` makes it, or of `path` and "
        "`label`; or a folder CLASS/FILE (kind folder: ROOT/gold where there is one)",
    )


class NoiseConfig(Open):
    """A kind of label corruption and its rates."""

    kind: str = Field(description="a registered noise: symmetric, uniform_redraw, pair_flip, …")
    rates: many(Rate) | None = Field(  # type: ignore[valid-type]
        None, description="probabilities of corruption; not given for kinds that have none (labels, human)"
    )


class ArchitectureConfig(Open):
    """A registered network and its options."""

    name: str = Field(description="a registered network: cnn, resnet8, resnet32, resnet18, …")


class OptimiserConfig(Open):
    """A registered optimiser and its options."""

    name: str = Field("sgd", description="a registered optimiser: sgd, adamw, …")


class ScheduleConfig(Open):
    """A registered schedule of the learning rate, in fractions of training, and its options."""

    name: str = Field("cosine", description="a registered schedule: constant, cosine, cosine_restarts, step, …")
    milestones: list[Annotated[float, Field(gt=0, lt=1)]] = Field([], description="step only: where it drops")
    factor: float = Field(0.1, gt=0, lt=1, description="step only: by how much")
    warmup: float = Field(0.0, ge=0, lt=1, description="part of training with a linear rise from 0")

    @model_validator(mode="after")
    def _milestones_belong_to_step(self) -> "ScheduleConfig":
        if (self.name == "step") != bool(self.milestones):
            raise ValueError("milestones are given with schedule step, and only there")
        if sorted(set(self.milestones)) != self.milestones:
            raise ValueError("milestones must rise")
        return self


class AugmentationConfig(Open):
    """Random crops of a padded image, left-right flips, and then a registered augmentation with its options."""

    crop: int = Field(0, ge=0, le=64, description="padding in pixels; 0 is no cropping")
    flip: bool = Field(False, description="each image is mirrored in half of the cases")
    name: str = Field(
        "none",
        description="what follows crop and flip, of the augmentations registered below",
        json_schema_extra={"since": "0.3.0"},
    )


class EstimateConfig(Strict):
    """How a transition matrix is estimated, for methods with `transition: estimated(NAME)`."""

    folds: int = Field(5, ge=2, le=100, description="parts of the training set; each is predicted from the others")
    length: float = Field(0.3, gt=0, le=1, description="part of the recipe's epochs or steps that its networks train")


class RecipeConfig(Strict):
    """A named set of training settings. It holds no treatment: smoothing and noise are never part of a recipe."""

    architecture: Annotated[
        ArchitectureConfig, BeforeValidator(lambda value: {"name": value} if isinstance(value, str) else value)
    ]
    epochs: int | None = Field(None, ge=1, le=1_000_000)
    steps: int | None = Field(None, ge=1, le=1_000_000_000, description="instead of epochs")
    batch_size: int = Field(128, ge=1, le=1_000_000)
    optimiser: OptimiserConfig = OptimiserConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    augmentation: Annotated[
        AugmentationConfig, BeforeValidator(lambda value: {"name": value} if isinstance(value, str) else value)
    ] = AugmentationConfig()
    precision: Literal["fp32", "bf16"] = "fp32"
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: CUDA where there is one")
    threads: int = Field(1, ge=1, le=256, description="CPU threads of one training job")
    block_size: int = Field(5, ge=1, le=1000, description="replicates trained by one job")
    checkpoint: Literal["last", "selected", "label_wave"] = Field("last", description="the weights that are reported")
    label_wave: bool = Field(
        False, description="keep also the network at the first local minimum of prediction changes (Yuan et al. 2024)"
    )
    snapshots: int = Field(10, ge=0, le=1000, description="evenly spaced epochs kept for the diagnosis best_on_test")
    loss_scale: float = Field(1.0, gt=0, description="factor on the loss (3 in Müller et al. 2019)")
    clip_norm: float | None = Field(None, gt=0, description="largest norm of the gradient")
    history_examples: int = Field(
        2000, ge=0, lt=2**32, description="training examples looked at after each epoch; 0: all"
    )
    mixup: float = Field(
        0.0, ge=0, le=100, description="α of the Beta distribution of mixup's weights (Zhang et al. 2018); 0: none"
    )
    sam_radius: float = Field(
        0.0,
        ge=0,
        le=10,
        description="ρ of sharpness-aware minimisation (Foret et al. 2021), two passes a step; 0: none",
    )
    students_only: bool = Field(False, description="trains no teachers")
    stacked: bool = Field(
        False, description="train a block's replicates as one network: faster; their rounding depends on block_size"
    )
    estimate: EstimateConfig = EstimateConfig()
    class_weights: Literal["none", "balanced"] = Field(
        "none", description="balanced: each class weighs the same in the loss, by its count among the labels learnt"
    )
    sampling: Literal["shuffled", "balanced"] = Field(
        "shuffled", description="balanced: batches are drawn with replacement, each class equally often"
    )

    @model_validator(mode="after")
    def _one_length(self) -> "RecipeConfig":
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give either epochs or steps")
        return self

    @model_validator(mode="after")
    def _reported_is_kept(self) -> "RecipeConfig":
        if self.checkpoint == "label_wave" and not self.label_wave:
            raise ValueError("checkpoint label_wave needs label_wave: true")
        return self


class MethodConfig(Open):
    """A registered method with the values it is swept over; its own options may be single values or lists."""

    name: str = Field(description="a registered method: cross_entropy, label_smoothing, forward, backward, …")
    alphas: many(Alpha) | None = None  # type: ignore[valid-type]
    transition: many(Transition) | None = Field(  # type: ignore[valid-type]
        None, description="true, matched, alpha, perturbed(EPS), estimated(NAME) or estimated(NAME, OPTION=VALUE)"
    )
    warm_up: float = Field(0.0, ge=0, lt=1, description="part of training done with cross_entropy first")


Method = Annotated[MethodConfig, BeforeValidator(lambda v: {"name": v} if isinstance(v, str) else v)]


class StudentConfig(Strict):
    """Students: every combination of the lists below is a cell for each teacher cell named."""

    teachers: many(Method) = Field(description="which of the grid's teacher cells; all strengths where none is named")  # type: ignore[valid-type]
    methods: many(Method) = Field(  # type: ignore[valid-type]
        [MethodConfig(name="cross_entropy")], validate_default=False, description="how the student treats its labels"
    )
    temperatures: many(Annotated[float, Field(gt=0)]) = Field([4.0], description="τ of the distillation")  # type: ignore[valid-type]
    betas: many(Share) = Field([0.5], description="weight β of the teacher; 1 − β is the labels'")  # type: ignore[valid-type]
    labels: many(Literal["noisy", "clean", "none"]) = Field(["noisy"], description="the labels it sees")  # type: ignore[valid-type]
    views: many(Literal["auto", "same", "fixed"]) = Field(  # type: ignore[valid-type]
        ["auto"],
        description="what its teacher sees: the student's batch, fixed unaugmented images, or as the recipe asks",
    )
    student_temperature: float | None = Field(None, gt=0, description="if not the teacher's (1 in Müller et al.)")
    recipe: Name | None = Field(None, description="default: the teacher's")


class ReplicatesConfig(Strict):
    """How many (noise seed, training seed) pairs, in blocks of the recipe's block_size."""

    design: Literal["paired", "crossed"] = Field(
        "paired", description="seeds in pairs, or every noise seed with every training seed (for the variance split)"
    )
    blocks: int = Field(1, ge=1, le=1000, description="blocks of the recipe's block_size")
    splits: Literal["fixed", "redrawn"] = Field(
        "fixed",
        json_schema_extra={"since": "0.3.0"},
        description="redrawn: each replicate draws its own train, validation and test parts; wants block_size 1",
    )

    @model_validator(mode="after")
    def _redrawn_are_paired(self) -> "ReplicatesConfig":
        if self.splits == "redrawn" and self.design != "paired":
            raise ValueError("splits: redrawn goes with design: paired, where each replicate has labels of its own")
        return self


class PrimaryConfig(Strict):
    """The headline contrast with cross-entropy, named before the run; headlines are one Holm family of their own."""

    method: str = "label_smoothing"
    alpha: float | None = None
    transition: Transition | None = None


FamilyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_ -]*$", max_length=40)]


class Config(Strict):
    """One grid."""

    name: Name = Field(description="names results/<name>/ and reports/<name>.html")
    title: str | None = Field(None, max_length=200, description="the report's heading")
    datasets: dict[Name, DatasetConfig] = Field(min_length=1, description="images and clean labels, by name")
    noises: dict[Name, NoiseConfig] = Field(min_length=1, description="label corruptions, by name")
    recipes: dict[Name, RecipeConfig] = Field(min_length=1, description="training settings, by name")
    methods: many(Method) = Field(description="how the teachers' loss treats a label")  # type: ignore[valid-type]
    students: Annotated[list[StudentConfig], AfterValidator(_distinct)] = Field([], description="what is distilled")
    replicates: ReplicatesConfig = ReplicatesConfig()
    primary: PrimaryConfig | None = Field(None, description="the headline contrast; default: the smoothing nearest 0.1")
    families: dict[FamilyName, many(Method)] | None = Field(  # type: ignore[valid-type]
        None,
        min_length=1,
        json_schema_extra={"since": "0.3.0"},
        description="which methods are corrected together, by the family's name; default: by kind",
    )
    margin: float = Field(0.5, gt=0, le=100, description="points of test accuracy that make no practical difference")
    measure: Literal["accuracy", "balanced_accuracy", "macro_f1"] = Field(
        "accuracy", description="what verdicts, margin, choices and selected epochs are about"
    )
    keep: Literal["weights", "teachers", "none"] = Field("weights", description="whose weights stay on disk")
