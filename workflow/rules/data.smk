"""Data sets in one canonical form, split in train, validation and test.

in:  what the config names: a bundled set, a download, the user's own files
out: results/data/{dataset}/training.npz, training.json   train and validation
     results/data/{dataset}/test.npz, test.json           read by the evaluation alone
"""


rule make_dataset:
    """Read a data set, check it, split it by its named seed."""
    output:
        training="results/data/{dataset}/training.npz",
        training_manifest="results/data/{dataset}/training.json",
        test="results/data/{dataset}/test.npz",
        test_manifest="results/data/{dataset}/test.json",
    log:
        "logs/data/{dataset}.log",
    benchmark:
        "logs/data/{dataset}.tsv"
    retries: 2  # a download may fail
    conda:
        "../../envs/train.yaml"
    params:
        job=lambda wildcards: jobs.dataset_job(GRID.datasets[wildcards.dataset]),
    script:
        "../scripts/make_dataset.py"
