# Two stages: the first builds the wheels, the second has neither compiler nor package index settings.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md ./
COPY bot ./bot
RUN pip wheel --no-cache-dir --wheel-dir /wheels '.[oauth,postgres]'

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data handover
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels 'handover-bot[oauth,postgres]' && rm -rf /wheels
USER handover
WORKDIR /data
VOLUME /data
ENV HOST=0.0.0.0 PORT=3000 LOG_FORMAT=json PYTHONUNBUFFERED=1
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD \
  ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=4)"]
ENTRYPOINT ["handover-bot"]
CMD ["run"]
