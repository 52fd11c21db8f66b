"""How weights follow gradients: every file here is one optimiser.

`build(parameters, device, *, learning_rate, …)` returns an object with `learning_rate` (a tensor (), set before every
step), `step()` (updates all parameters from their gradients, without reading a value back), `state()` (tensors by
name, for a checkpoint) and `restore(state)`. The keyword-only parameters are the keys of the recipe's `optimiser`.
"""
