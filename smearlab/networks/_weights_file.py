"""Files of weights: state_dicts, read without running anything in them and compared with what a network wants."""

from collections.abc import Mapping

import safetensors.torch
import torch
from torch import Tensor

from smearlab.core.errors import UserError

COUNTERS = "num_batches_tracked"  # which the files of early torchvision lack
WRAPPED = ("state_dict", "model_state_dict", "model")


def read_state(path: str) -> dict[str, Tensor]:
    """Return the tensors of a file of weights; UserError unless it holds a state_dict and nothing that is run."""
    try:
        if path.endswith(".safetensors"):
            return safetensors.torch.load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file of anything else makes the readers fail in any way
        said = " ".join(str(error).split())[:100]
        raise UserError(f"{path}: no state_dict of torch can be read from it ({said})") from error
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{path}: holds no state_dict, a dictionary of tensors by name{_hint(state)}")
    return state


def _hint(found: object) -> str:
    inner = next((key for key in WRAPPED if isinstance(found, dict) and isinstance(found.get(key), dict)), None)
    return f"; save its entry {inner!r} alone" if inner else "; save network.state_dict()"


def check_weights(path: str, of: str, wanted: Mapping[str, Tensor], head: str) -> None:
    """Raise UserError, in one line, unless a file holds the tensors of a network, by name, shape and finite values.

    wanted: of torchvision's network `of`. head: what the names of its last layer start with, which is left out.
    """
    state = read_state(path)
    refused = f"{path}: not the weights of {of}"
    shapes = {name: tuple(tensor.shape) for name, tensor in wanted.items() if not name.startswith(head)}
    for name, shape in shapes.items():
        if name not in state:
            if name.endswith(COUNTERS):
                continue
            raise UserError(f"{refused}: {name} is not among its {len(state)} tensors{_prefix(name, state)}")
        if tuple(state[name].shape) != shape:
            raise UserError(f"{refused}: {name} is of shape {tuple(state[name].shape)}, not {shape}")
        if not torch.isfinite(state[name]).all():
            raise UserError(f"{path}: {name} holds values that are not finite")
    strange = sorted(name for name in state if name not in shapes and not name.startswith(head))
    if strange:
        raise UserError(f"{refused}: {len(strange)} of its tensors are none of {of}'s, first {strange[0]}")


def _prefix(name: str, state: Mapping[str, Tensor]) -> str:
    found = next((key.removesuffix(name) for key in state if key.endswith(f".{name}")), None)
    return f"; its names begin with {found!r}, which must be taken off" if found else ""
