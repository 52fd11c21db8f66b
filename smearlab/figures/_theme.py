"""The page's colours as style variables: one set for light pages, one for dark ones, shared with the figures."""

from smearlab.figures._style import TOKENS


def variables() -> str:
    """Return the rules that define every named colour for light and dark, by the system's wish or the reader's."""
    light = "".join(f"--{name}:{value};" for name, (value, _) in TOKENS.items())
    dark = "".join(f"--{name}:{value};" for name, (_, value) in TOKENS.items())
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}"
    )
