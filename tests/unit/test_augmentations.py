"""What is done to images after crop and flip: closed forms, what is drawn, and a training with it."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny
import torch
from torchvision.transforms.v2 import InterpolationMode, RandAugment
from torchvision.transforms.v2 import functional as F

from configs import config
from smearlab.augmentations import randaugment
from smearlab.augmentations.randaugment import OPERATIONS
from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import plain
from smearlab.core.seeds import stream_seed
from smearlab.grid.cells import load_grid
from smearlab.training.batches import epoch_draws
from smearlab.training.block import Interrupted
from smearlab.training.lanes import Lane
from smearlab.training.staging import check_images
from smearlab.training.student import Teacher
from smearlab.training.trainee import Trainee, make_problem

CPU = torch.device("cpu")
STRONG = {"name": "randaugment", "options": {"operations": 2, "magnitude": 9}}
THEIRS = dict(zip(OPERATIONS, RandAugment._AUGMENTATION_SPACE, strict=True))
UNCHANGED_AT_0 = [name for name in OPERATIONS if name not in ("autocontrast", "equalize")]
AT_MOST = {  # torchvision's strongest values
    **dict.fromkeys(("shear_x", "shear_y"), 0.3),
    **dict.fromkeys(("translate_x", "translate_y"), 150 / 331 * 12),
    **dict.fromkeys(("brightness", "colour", "contrast", "sharpness"), 0.9),
    "rotate": 30.0,
}


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(channels: int = 3, count: int = 6, size: int = 12, seed: int = 0) -> torch.Tensor:
    shape = (count, channels, size, size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator(seed))


def augmented(name: str, shown: torch.Tensor, seed: int = 0, **options: Any) -> torch.Tensor:
    found: torch.Tensor = registry.load("augmentations", name).augment(shown, generator(seed), **options)
    return found


# The operations.


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", UNCHANGED_AT_0)
def test_an_operation_of_no_strength_changes_nothing(name: str, channels: int) -> None:
    shown = images(channels)
    assert torch.equal(OPERATIONS[name](shown, 0.0), shown)


@pytest.mark.parametrize("magnitude", [3, 9, 30])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_the_one_of_torchvisions_own(name: str, channels: int, magnitude: int) -> None:
    shown, theirs = images(channels), RandAugment()
    for sign in (1, -1):
        strength = sign * magnitude / 30
        value = {"posterize": 8 - round(4 * abs(strength)), "solarize": 1 - abs(strength)}.get(name)
        value = AT_MOST.get(name, 0.0) * strength if value is None else value
        expected = theirs._apply_image_or_video_transform(
            shown, THEIRS[name], value, InterpolationMode.NEAREST, theirs._fill
        )
        assert torch.equal(OPERATIONS[name](shown, strength), expected)


def test_closed_forms() -> None:
    shown = images()
    bright = OPERATIONS["brightness"](shown, -1 / 3)
    assert torch.equal(bright, (shown.float() * 0.7).to(torch.uint8))
    assert torch.equal(OPERATIONS["posterize"](shown, 1.0), shown // 16 * 16)
    half = OPERATIONS["solarize"](shown, 0.5)
    assert torch.equal(half, torch.where(shown >= 127.5, 255 - shown, shown))
    assert torch.equal(OPERATIONS["solarize"](half, 1.0), 255 - half)
    right = OPERATIONS["translate_x"](shown, 331 / 150 / 4)  # a quarter of 12 pixels
    assert torch.equal(right[..., 3:], shown[..., :-3]) and not right[..., :3].any()
    assert torch.equal(OPERATIONS["translate_y"](shown, -331 / 150 / 4)[..., :-3, :], shown[..., 3:, :])


def test_colour_leaves_grey_images_as_they_are() -> None:
    grey = images(1)
    assert torch.equal(OPERATIONS["colour"](grey, 0.5), grey)
    painted = grey.expand(-1, 3, -1, -1)
    assert (OPERATIONS["colour"](painted, -0.5).int() - painted).abs().max() <= 1  # torchvision's grey is rounded down


def test_each_image_draws_its_own_operations_uniformly_and_each_sign_as_often() -> None:
    """On images of one value a brightness of 1 ± 0.3 tells which operations were drawn."""
    shown = torch.full((7000, 1, 3, 3), 100, dtype=torch.uint8)
    found = augmented("randaugment", shown, operations=1, magnitude=10)[:, 0, 1, 1].tolist()
    assert found.count(130) / 7000 == pytest.approx(1 / 28, abs=0.01)
    assert found.count(70) / 7000 == pytest.approx(1 / 28, abs=0.01)


@pytest.mark.parametrize("name", registry.names("augmentations"))
def test_a_batch_keeps_its_shape_and_follows_from_the_generator(name: str) -> None:
    for channels, size in ((1, 8), (3, 12)):
        shown = images(channels, size=size)
        kept, options = shown.clone(), {"side": 4} if name == "cutout" else {}
        first, again = (augmented(name, shown, seed=5, **options) for _ in range(2))
        assert first.shape == shown.shape and first.dtype == torch.uint8
        assert torch.equal(first, again) and torch.equal(shown, kept)
        assert torch.equal(first, augmented(name, shown, seed=6, **options)) == (name == "none")


def test_more_operations_are_one_behind_the_other() -> None:
    shown, draw = images(), generator(3)
    step = randaugment.augment(randaugment.augment(shown, draw, operations=1), draw, operations=1)
    assert torch.equal(augmented("randaugment", shown, seed=3, operations=2), step)


# Cutout.


def test_a_hole_is_a_square_of_black_around_a_pixel_of_the_image() -> None:
    shown = torch.full((400, 2, 9, 9), 7, dtype=torch.uint8)
    holes = augmented("cutout", shown, side=3) == 0
    assert torch.equal(holes[:, 0], holes[:, 1])
    sizes = holes[:, 0].sum(dim=(1, 2))
    assert set(sizes.tolist()) == {4, 6, 9}  # in a corner, at an edge, within
    rows, columns = holes[:, 0].any(dim=2).sum(dim=1), holes[:, 0].any(dim=1).sum(dim=1)
    assert torch.equal(rows * columns, sizes)
    assert (sizes == 9).float().mean().item() == pytest.approx((7 / 9) ** 2, abs=0.06)
    assert holes[:, 0].any(dim=0).all()


def test_a_hole_of_one_pixel_is_that_pixel() -> None:
    assert (augmented("cutout", torch.ones((50, 1, 4, 4), dtype=torch.uint8), side=1) == 0).sum() == 50


# Random erasing.

PAPERS = {"probability": 0.5, "area_min": 0.02, "area_max": 0.4, "aspect_min": 0.3}


def erased(count: int, height: int, width: int, **options: Any) -> torch.Tensor:
    """Return which pixels change, bool (B, H, W); of eight channels, so that noise is not what was there."""
    shown = torch.full((count, 8, height, width), 7, dtype=torch.uint8)
    return (augmented("random_erasing", shown, **options) != shown).any(dim=1)


def sides_of(holes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return holes.any(dim=2).sum(dim=1), holes.any(dim=1).sum(dim=1)


@pytest.mark.parametrize("probability", [0.0, 0.25, 1.0])
def test_as_many_images_are_erased_as_asked_and_each_by_a_rectangle_of_the_area_asked(probability: float) -> None:
    holes = erased(2000, 20, 30, probability=probability, area_min=0.24, area_max=0.24, aspect_min=1.0)
    heights, widths = sides_of(holes)
    assert torch.equal(heights * widths, holes.sum(dim=(1, 2)))
    assert set(zip(heights.tolist(), widths.tolist(), strict=True)) <= {(0, 0), (12, 12)}  # 0.24 · 600 = 12²
    assert (heights > 0).float().mean().item() == pytest.approx(probability, abs=0.04)
    if probability:
        assert holes.any(dim=0).all()


def test_the_mean_area_is_the_middle_of_its_range_and_sides_keep_within_theirs() -> None:
    """Where every rectangle fits: the largest side is √(0.2 / 0.5) · 64 = 40.5."""
    low, high, aspect = 0.02, 0.2, 0.5
    holes = erased(3000, 64, 64, probability=1.0, area_min=low, area_max=high, aspect_min=aspect)
    share = holes.float().mean(dim=(1, 2))
    deviation = (high - low) / 12**0.5
    assert share.mean().item() == pytest.approx((low + high) / 2, abs=4 * deviation / 3000**0.5)
    assert share.std().item() == pytest.approx(deviation, rel=0.05)
    heights, widths = (side.float() for side in sides_of(holes))
    assert ((heights - 0.5) / (widths + 0.5) <= 1 / aspect).all() and ((heights + 0.5) / (widths - 0.5) >= aspect).all()
    ratio = (heights / widths).mean().item()
    assert ratio == pytest.approx((aspect + 1 / aspect) / 2, abs=0.03)  # uniform, and not its logarithm


def test_rectangles_of_the_papers_ranges_lie_within_the_image() -> None:
    holes = erased(1000, 12, 8, **{**PAPERS, "probability": 1.0})
    heights, widths = sides_of(holes)
    assert torch.equal(heights * widths, holes.sum(dim=(1, 2))) and (heights * widths > 0).all()
    assert heights.max() <= 12 and widths.max() <= 8 and holes.any(dim=0).all()


def test_what_is_put_in_is_uniform_and_each_value_its_own() -> None:
    shown = torch.zeros((300, 2, 16, 16), dtype=torch.uint8)
    found = augmented("random_erasing", shown, probability=1.0, area_min=0.25, area_max=0.25, aspect_min=1.0)
    inside = found[found > 0].double()
    assert inside.mean().item() == pytest.approx(128, abs=1.5) and inside.max() == 255
    assert not torch.equal(found[:, 0], found[:, 1])


def test_an_image_of_a_batch_does_not_depend_on_the_pixels_of_others() -> None:
    shown = images(count=8)
    other = torch.cat([shown[:4], 255 - shown[4:]])
    assert torch.equal(augmented("random_erasing", shown)[:4], augmented("random_erasing", other)[:4])


# In a config.


@pytest.mark.parametrize(
    "given, recorded",
    [
        ({}, {"crop": 0, "flip": False}),
        ("none", {"crop": 0, "flip": False}),
        ({"name": "none", "crop": 1}, {"crop": 1, "flip": False}),
        ("randaugment", {"crop": 0, "flip": False, **STRONG}),
        (
            {"name": "randaugment", "magnitude": 0, "flip": True},
            {"crop": 0, "flip": True, "name": "randaugment", "options": {"operations": 2, "magnitude": 0}},
        ),
        ({"name": "cutout"}, {"crop": 0, "flip": False, "name": "cutout", "options": {"side": 16}}),
        ("random_erasing", {"crop": 0, "flip": False, "name": "random_erasing", "options": PAPERS}),
    ],
)
def test_what_is_recorded_of_it(given: Any, recorded: dict[str, Any]) -> None:
    used = {cell.recipe for cell in load_grid(config(("recipes.small.augmentation", given))).cells.values()}
    (settings,) = (recipe.settings for recipe in used if recipe.name == "small")
    assert plain(settings)["augmentation"] == recorded


@pytest.mark.parametrize(
    "given, said",
    [
        ("randaugmnt", "recipes.small.augmentation: unknown augmentation 'randaugmnt'; did you mean 'randaugment'?"),
        ({"name": "randaugment", "magnitud": 3}, "unknown key recipes.small.augmentation.magnitud; did you mean 'mag"),
        ({"name": "randaugment", "magnitude": 31}, "augmentation.magnitude: 31: should be less than or equal to 30"),
        ({"name": "randaugment", "magnitude": 2.5}, "augmentation.magnitude: 2.5: should be a whole number"),
        ({"name": "randaugment", "operations": 0}, "augmentation.operations: 0: should be greater than or equal to 1"),
        ({"operations": 2}, "unknown key recipes.small.augmentation.operations; allowed: crop, flip, name"),
        ({"name": "random_erasing", "area_max": 1}, "augmentation.area_max: 1: should be less than 1"),
        ({"name": "random_erasing", "probability": -0.1}, "probability: -0.1: should be greater than or equal to 0"),
        ({"name": "cutout", "operations": 2}, "unknown key recipes.small.augmentation.operations"),
        (None, "recipes.small.augmentation"),
    ],
)
def test_what_is_refused_in_one_line(given: Any, said: str) -> None:
    with pytest.raises(UserError) as refused:
        load_grid(config(("recipes.small.augmentation", given)))
    assert said in str(refused.value) and len(str(refused.value).splitlines()) == 1


def test_features_and_stacked_recipes_take_none() -> None:
    with pytest.raises(UserError, match="which have no pixels to crop, flip or change"):
        rows = ("datasets", {"wine": {"kind": "wine"}})
        load_grid(config(rows, ("recipes.small.architecture", "mlp"), ("recipes.small.augmentation", "cutout")))
    with pytest.raises(UserError, match="stacked: does not go with augmentation randaugment; leave one out"):
        load_grid(config(("recipes.small.stacked", True), ("recipes.small.augmentation", "randaugment")))


def test_a_students_teacher_sees_the_same_batch() -> None:
    grid = load_grid(config(("recipes.small.augmentation", "randaugment")))
    assert {cell.view for cell in grid.cells.values() if cell.teacher} == {"same"}


@pytest.mark.parametrize(
    "name, options, shape, said",
    [
        ("randaugment", {}, (4, 32), "augmentation randaugment: it changes images of 1 or 3 channels, not 4"),
        ("randaugment", {}, (2, 32), "images of 1 or 3 channels, not 2"),
        ("randaugment", {}, (1, 2), "sharpness needs 3 pixels a side, not 2"),
        ("cutout", {"side": 16}, (1, 8), "a hole of 16 pixels can cover images of 8×8 whole"),
        ("random_erasing", {**PAPERS, "area_max": 0.01}, (1, 8), "area_max is 0.01, below area_min, 0.02"),
        ("random_erasing", {**PAPERS, "area_max": 0.03}, (1, 2), "a share of 0.03 of 2×2 pixels is less than a pixel"),
    ],
)
def test_images_that_cannot_be_augmented_are_refused(name: str, options: Any, shape: Any, said: str) -> None:
    augmentation = tiny.recipe(augmentation={"crop": 0, "flip": False, "name": name, "options": options}).augmentation
    with pytest.raises(UserError, match=said):
        check_images(augmentation, *shape)


@pytest.mark.parametrize("name", registry.names("augmentations"))
@pytest.mark.parametrize("shape", [(1, 8), (3, 32), (3, 224)])
def test_common_images_are_taken(name: str, shape: tuple[int, int]) -> None:
    options = {"side": 8} if name == "cutout" else {}
    kept = {"crop": 0, "flip": False, "name": name, "options": options}
    check_images(tiny.recipe(augmentation=kept).augmentation, *shape)


# In training.


def recipe(**changes: Any) -> Any:
    kept = {"crop": 1, "flip": True, **STRONG}
    return tiny.recipe(augmentation=kept, epochs=2, snapshots=0, **changes)


def trainee(role: str = "teacher", seed: int = 0, **changes: Any) -> Trainee:
    training, job = tiny.training_data(), tiny.job(count=2)
    observed, used = tiny.observed_labels(training, 0), recipe(**changes)
    return Trainee(
        make_problem(training, used, tiny.N_CLASSES, CPU),
        used,
        job.method,
        role=role,
        seeds=job.replicates[seed],
        observed=observed,
        taught=observed,
        transition=None,
        lane=Lane(),
    )


def epoch(one: Trainee, number: int = 0, first: int = 0) -> list[torch.Tensor]:
    """Return the batches of an epoch from its `first` on."""
    one.at.epoch, one.at.step = number, first
    one.start_epoch()
    found = []
    while one.in_epoch():
        found.append(one.next_batch().images.clone())
        one.count_step()
    return found


def test_a_batch_is_cropped_mirrored_augmented_and_then_normalised() -> None:
    one, plain_one = trainee(), trainee()
    plain_one.batches.staging = None
    pixels, place = one.problem.train, 1
    bare = epoch(plain_one)[place]
    kept = (bare - pixels.shift[:, None, None]) / pixels.scale[:, None, None]
    draw = generator(stream_seed("augmentation randaugment", "teacher", 0, 0, place))
    expected = randaugment.augment(kept.round().to(torch.uint8), draw, **STRONG["options"])
    found = epoch(one)[place]
    assert not torch.equal(found, bare)
    assert torch.equal(found, pixels.normalised(expected.permute(0, 2, 3, 1)))


def test_no_augmentation_beyond_is_what_crop_and_flip_give() -> None:
    """The entry none, staged as any other."""
    one, bare = trainee(), trainee()
    bare.batches.staging = None
    assert one.batches.staging is not None
    one.batches.staging.augmentation = tiny.recipe(augmentation={"crop": 1, "flip": True}).augmentation
    one.batches.staging.options = {}
    assert all(torch.equal(a, b) for a, b in zip(epoch(one), epoch(bare), strict=True))
    assert torch.equal(epoch_draws(one.batches, 0), epoch_draws(bare.batches, 0))


def test_what_is_drawn_depends_on_role_seed_epoch_and_batch_and_on_nothing_else() -> None:
    whole = epoch(trainee())
    assert all(torch.equal(a, b) for a, b in zip(epoch(trainee(), first=1), whole[1:], strict=True))
    assert all(torch.equal(a, b) for a, b in zip(epoch(trainee()), whole, strict=True))
    others = [epoch(trainee(role="student")), epoch(trainee(seed=1)), epoch(trainee(), number=1)]
    assert all(not torch.equal(other[0], whole[0]) for other in others)


def test_a_replicate_is_the_same_in_a_block_of_any_size(tmp_path: Path) -> None:
    results = [tiny.train(tiny.job(count=n, recipe=recipe(block_size=n)), tmp_path / str(n)) for n in (1, 2)]
    ours, theirs = (result.replicates[0].weights for result in results)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    plain_recipe = tiny.recipe(epochs=2, snapshots=0)
    bare = tiny.train(tiny.job(count=1, recipe=plain_recipe), tmp_path / "bare").replicates[0].weights
    assert any(not torch.equal(ours[name], bare[name]) for name in ours)


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_a_training_that_is_stopped_anywhere_ends_with_the_same_bytes(
    role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teachers = tmp_path / "teachers"
    tiny.train(tiny.job(recipe=recipe()), teachers)
    job = tiny.job(role, recipe=recipe())
    given = {"teachers": teachers} if role == "student" else {}
    tiny.train(job, tmp_path / "whole", **given)
    steps, count_step = [0], Trainee.count_step

    def stopping(one: Trainee) -> None:
        count_step(one)
        steps[0] += 1
        if steps[0] in (2, 5):
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Trainee, "count_step", stopping)
    for _ in range(2):
        with pytest.raises(Interrupted):
            tiny.train(job, tmp_path / "broken", **given)
    tiny.train(job, tmp_path / "broken", **given)
    assert tiny.outcome(tmp_path / "broken") == tiny.outcome(tmp_path / "whole")


def test_a_student_and_its_teacher_are_shown_one_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[torch.Tensor, torch.Tensor]] = []
    own, to_teacher = Trainee.next_batch, Teacher.logits

    def noted(one: Trainee) -> Any:
        batch = own(one)
        shown.append((batch.images, batch.images.clone()))
        return batch

    def asked(teacher: Teacher, batch: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        assert batch is shown[-1][0] and torch.equal(batch, shown[-1][1])
        return to_teacher(teacher, batch, index)

    tiny.train(tiny.job(recipe=recipe()), tmp_path / "teachers")
    monkeypatch.setattr(Trainee, "next_batch", noted)
    monkeypatch.setattr(Teacher, "logits", asked)
    job = tiny.job("student", recipe=recipe())
    tiny.train(job, tmp_path / "students", teachers=tmp_path / "teachers")
    assert len(shown) == 2 * 2 * 3


def test_mixup_mixes_the_augmented_images() -> None:
    one, mixed = trainee(), trainee(mixup=0.4)
    for each in (one, mixed):
        each.start_epoch()
    batch, image = mixed.next_batch(), one.next_batch().images
    assert batch.mixture is not None and torch.equal(batch.images, batch.mixture.inputs(image))


def test_a_hole_too_large_ends_a_training_before_it_begins(tmp_path: Path) -> None:
    kept = {"crop": 0, "flip": False, "name": "cutout", "options": {"side": 16}}
    with pytest.raises(UserError, match="augmentation cutout: a hole of 16 pixels can cover images of 8×8 whole"):
        tiny.train(tiny.job(recipe=tiny.recipe(augmentation=kept)), tmp_path)


def test_a_flip_twice_is_the_image_and_a_flip_is_the_librarys() -> None:
    training = tiny.training_data()
    pixels = make_problem(training, tiny.recipe(), tiny.N_CLASSES, CPU).train
    index, middle = torch.arange(4), torch.ones(4, dtype=torch.int64)
    straight, mirrored = (pixels.cropped(index, middle, middle, flip * middle) for flip in (0, 1))
    assert torch.equal(F.hflip(mirrored.permute(0, 3, 1, 2)), straight.permute(0, 3, 1, 2))
    assert not torch.equal(mirrored, straight) and torch.equal(mirrored.flip(2), straight)
