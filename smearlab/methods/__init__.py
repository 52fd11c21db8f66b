"""How a loss treats a label: every file here is one method.

`loss(logits, labels, *, options) -> (B,)` gives the loss of each example on its own: logits (B, L) of any
float type (narrow ones are computed in float32), labels int64 (B,). It may ask for more by naming positional
parameters after `labels`: `index` (B,) positions in the training part, `epoch`, `state`. A method with state
defines `state(n_examples, n_classes, device) -> dict[str, Tensor]` and updates those tensors in place.

Two options are filled by the grid: `alpha`, and `transition`, a float64 tensor T (L, L), T[true, observed].
A method may define `prepare(transition) -> Tensor`; it is called once, before training, and its result is
passed as `transition` instead of T (backward prepares the inverse). A loss reads no value back from the
device, so that a captured CUDA graph can hold it.

A method without `loss` trains with cross-entropy and defines `settings(recipe, *, options) -> dict`, the
changed recipe. Constants: LABEL (its name in figures), FAMILY (the methods it is corrected with for their
number; by default its own), PLAIN_AT (options at which it is cross-entropy;
`"transition": "identity"` for a corrected loss), NEEDS (what T must be: "nonnegative" or "inverse"), FILES
(options that are matrix files: a loss is given their numbers as JSON), LATER (options that came after the first
results, at the values at which the method is what it was).
"""
