# The image that tests run as a studio: the agent from the sources, and a tiny app.
FROM debian:bookworm-slim
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends \
        python3 ca-certificates mount bubblewrap squashfs-tools squashfuse fuse3 \
    && rm -rf /var/lib/apt/lists/*
COPY packages /opt/studio/packages
COPY apps /opt/studio/apps
COPY sources /opt/studio/sources
ENV PYTHONPATH=/opt/studio/sources:/opt/studio/packages PYTHONDONTWRITEBYTECODE=1 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/studio/packages/bin
ENTRYPOINT ["python3", "-m", "jupyterhub_studios.agent"]
