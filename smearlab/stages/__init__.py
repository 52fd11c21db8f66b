"""What the rules of the workflow run: a module for each rule, of its name, with one function.

`run(job, inputs, outputs)`: job is the dataclass of smearlab/core/jobs.py that decides the result; inputs and outputs
are the rule's files by name (a path, or a list of paths). Beside them `inputs["config"]` is the config as it was given,
for what decides no result: where the user's files lie.
"""
