# The environment of smearlab, from the same lock as `make setup`; the checkout is mounted, so that edits count.
#   docker build -t smearlab .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" smearlab --cores all
# GPUs: add --gpus all. Limits: docs/environments.md.
FROM python:3.12.11-slim-bookworm

# USER and LOGNAME: whom the image does not know by the number given with --user has no name otherwise.
ENV PIP_NO_CACHE_DIR=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONNOUSERSITE=1 \
    HOME=/tmp/home \
    USER=smearlab \
    LOGNAME=smearlab \
    MPLCONFIGDIR=/tmp/home/matplotlib

WORKDIR /opt/smearlab
COPY requirements.bootstrap.lock requirements.lock ./
RUN python -m pip install --require-hashes --requirement requirements.bootstrap.lock \
    && uv pip install --system --no-cache --require-hashes --compile-bytecode --requirement requirements.lock \
    && useradd --uid 1000 --create-home --home-dir /tmp/home smearlab \
    && chmod 1777 /tmp/home

# Not root at run time; any other user may be given with --user.
USER smearlab
WORKDIR /work
ENTRYPOINT ["snakemake"]
CMD ["--cores", "all"]
