"""What is done to the images of a batch after crop and flip: every file here is one augmentation.

`augment(images, draw, *, …)` is given a batch uint8 (B, C, H, W), before normalisation, on the CPU, and a generator of
that batch's own: all that is drawn comes from it. It returns a batch of the same shape and type. The keyword-only
parameters are keys of the recipe's `augmentation`. `refusal(channels, size, *, …)`, if there is one, gets the same
options and says in a few words why images of so many channels and pixels a side cannot be augmented, or gives None.
"""
