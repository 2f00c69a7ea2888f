# One image, different commands: see docker-compose.yml.
FROM python:3.11.14-slim-bookworm AS build
ARG EXTRAS=""
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/forerun \
    && /opt/forerun/bin/pip install --quiet --require-hashes --no-cache-dir -r requirements.lock
COPY . .
RUN /opt/forerun/bin/pip install --quiet --no-cache-dir --no-deps --no-build-isolation . \
    && if [ -n "$EXTRAS" ]; then /opt/forerun/bin/pip install --quiet --no-cache-dir ".[$EXTRAS]"; fi \
    && cd / && /opt/forerun/bin/forerun compile

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --create-home forerun && install -d -o forerun /data
COPY --from=build /opt/forerun /opt/forerun
# What was compiled above is copied to where a read-only container may write: on another kind of processor more is added.
ENV PATH=/opt/forerun/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/tmp/numba
USER forerun
WORKDIR /home/forerun
VOLUME /data
CMD ["forerun", "--help"]
