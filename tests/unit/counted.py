"""Operations, counted as they reach the device."""

from collections import Counter
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode


class Counted(TorchDispatchMode):
    """Counts the operations done within it by name, each multi-tensor one once; views, which compute nothing, apart."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: Counter[str] = Counter()
        self.views: Counter[str] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, given: Any = (), named: Any = None) -> Any:
        (self.views if function.is_view else self.ran)[str(function)] += 1
        return function(*given, **(named or {}))
