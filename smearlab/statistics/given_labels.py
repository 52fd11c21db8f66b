"""A comparison on noisy test labels: it says how far networks agree with the labels given, and nothing of true ones.

Noise that is a function of the image, as a tired person's or another classifier's is, is learnt as the classes are.
A method that resists it then agrees less with the labels given because it is right more often.
"""

from smearlab.statistics.verdict import HELPS, HURTS, NO_DIFFERENCE

MORE = "agrees more with the labels given"
LESS = "agrees less with the labels given"
AS_MUCH = "agrees as much with the labels given"
AGREEMENT = (MORE, LESS, AS_MUCH)
CANNOT = "for true labels this data cannot tell"
IN_WORDS = {HELPS: MORE, HURTS: LESS, NO_DIFFERENCE: AS_MUCH}


def is_agreement(measure: str) -> bool:
    """Whether a column of metrics is measured on the labels given, whatever they are worth."""
    return measure.endswith("_noisy")


def in_words(verdict: str, measure: str) -> str:
    """Return what a verdict comes to on a measure: on the labels given, agreement in place of a judgement."""
    return IN_WORDS.get(verdict, verdict) if is_agreement(measure) else verdict
