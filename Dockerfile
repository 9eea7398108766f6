# The viewer in a container: docker build -t finops . (how to run it: specs/12-running-for-a-team.md)
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    FINOPS_CSV_PATH=/data/simulated_calls.csv \
    FINOPS_REPORTS_PATH=/data/reports
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin finops \
    && install --directory --owner=finops --group=finops /data
WORKDIR /app
COPY . .
RUN python3 -m compileall -q src viewer

USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
    CMD ["python3", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ.get('FINOPS_VIEWER_PORT', '8000') + '/health', timeout=2)"]
# Inside, it listens on all addresses and therefore wants FINOPS_VIEWER_TOKEN; outside, publish it on loopback.
ENTRYPOINT ["python3", "viewer/serve.py", "--host", "0.0.0.0"]
