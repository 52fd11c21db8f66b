"""Data sets in one canonical form, split in train, validation and test.

in:  what the config names: a bundled set, a download, the user's own files
out: results/data/{dataset}/training.npz, training.json   train and validation
     results/data/{dataset}/test.npz, test.json           read by the evaluation alone
"""


rule make_dataset:
    """Read a data set, check it, split it by its named seed."""
    output:
        **made_by("make_dataset"),
    log:
        log_of("make_dataset"),
    benchmark:
        log_of("make_dataset", "tsv")
    localrule: True
    conda:
        "../../envs/train.yaml"
    params:
        job=decided_by("make_dataset"),
    script:
        "../scripts/run_stage.py"


# A fault of the data is told once: a download is tried again by its reader, and `retries: 0` would mean the profile's.
rules.make_dataset.rule.restart_times = 0
